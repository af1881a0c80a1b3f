import type { ApiToken } from "#schema/api/access.ts";
import type { ApiTokenRow } from "../store/api-tokens.ts";

/** An API token as the API shows it. */
export const toApiToken = (row: ApiTokenRow): ApiToken => ({
  id: row.id,
  name: row.name,
  role: row.role,
  scopes: row.scopes,
  createdBy: row.createdBy,
  createdAt: new Date(row.createdAt).toISOString(),
  expiresAt: new Date(row.expiresAt).toISOString(),
  revokedAt: row.revokedAt === null ? null : new Date(row.revokedAt).toISOString(),
});
