import type { ApiToken } from "#schema/api/access.ts";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import { type ApiTokenRow, findApiToken, revokeToken } from "../store/api-tokens.ts";
import { toApiToken } from "./api-token-view.ts";
import { commit } from "./commit.ts";

const requireApiToken = async (deps: Deps, id: string): Promise<ApiTokenRow> => {
  const row = await findApiToken(deps.database, id);
  if (row === null) throw new AppError("not_found", "there is no such API token");
  return row;
};

/** Ends a token at once; one that has ended stays as it is. */
export const revokeApiToken = async (deps: Deps, id: string): Promise<ApiToken> => {
  await commit(deps.ledger, async () => {
    const row = await requireApiToken(deps, id);
    if (row.revokedAt !== null) return [];
    const now = deps.clock();
    const changes = [{ target: `api-token/${id}`, before: toApiToken(row), after: toApiToken({ ...row, revokedAt: now }) }];
    return { statements: [revokeToken(id, now)], changes };
  });
  return toApiToken(await requireApiToken(deps, id));
};
