import type { ApiToken } from "#schema/api/access.ts";
import type { Deps } from "../deps.ts";
import { listApiTokens as listRows } from "../store/api-tokens.ts";
import { toApiToken } from "./api-token-view.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";

export const listApiTokens = async (deps: Deps, query: { cursor?: string | undefined; limit: number }): Promise<Page<ApiToken>> =>
  toPage(await listRows(deps.database, afterOf(query.cursor), query.limit + 1), query.limit, (row) => row.id, toApiToken);
