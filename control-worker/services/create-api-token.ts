import type { ApiTokenAnswer, ApiTokenRequest } from "#schema/api/access.ts";
import { AppError } from "#schema/api/error.ts";
import { hasRole } from "#schema/domain/role.ts";
import type { OperatorCaller } from "../auth/caller.ts";
import type { Deps } from "../deps.ts";
import { insertApiToken } from "../store/api-tokens.ts";
import { toApiToken } from "./api-token-view.ts";
import { commit } from "./commit.ts";
import { newSecret, sha256Hex } from "./secrets.ts";

/** Nobody hands out more than they have. */
const checkGrantable = (caller: OperatorCaller, { role, scopes }: ApiTokenRequest): void => {
  const isWithin = caller.scopes.length === 0 || (scopes.length > 0 && scopes.every((scope) => caller.scopes.includes(scope)));
  if (!hasRole(caller.role, role) || !isWithin) throw new AppError("forbidden", "a token reaches no further than the one that makes it");
};

/** Makes an API token; it is stored as its hash and shown once. */
export const createApiToken = async (deps: Deps, caller: OperatorCaller, request: ApiTokenRequest): Promise<ApiTokenAnswer> => {
  checkGrantable(caller, request);
  const token = newSecret("clv_");
  const now = deps.clock();
  const { name, role, scopes, expiresInSeconds } = request;
  const id = crypto.randomUUID();
  const row = {
    id,
    name,
    role,
    scopes,
    createdBy: caller.actor,
    createdAt: now,
    expiresAt: now + expiresInSeconds * 1000,
    revokedAt: null,
  };
  const view = toApiToken({ ...row, tokenHash: "" });
  const answer = { ...view, token };
  await commit(deps.ledger, async () => ({
    statements: [insertApiToken({ ...row, tokenHash: sha256Hex(token) })],
    changes: [{ target: `api-token/${id}`, before: null, after: view }],
    answer,
  }));
  return answer;
};
