import { and, asc, eq, gt, isNull } from "drizzle-orm";
import { apiTokens } from "#schema/db/control/access.ts";
import { type Database, reading } from "./database.ts";
import { build, type Statement, statement, statementOf } from "./statement.ts";

export type ApiTokenRow = typeof apiTokens.$inferSelect;

/** The token of this hash that is neither revoked nor expired. */
export const findLiveApiToken = async (database: Database, tokenHash: string, now: number): Promise<ApiTokenRow | null> =>
  (
    await reading(() =>
      database
        .select()
        .from(apiTokens)
        .where(and(eq(apiTokens.tokenHash, tokenHash), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now))),
    )
  )[0] ?? null;

export const findApiToken = async (database: Database, id: string): Promise<ApiTokenRow | null> =>
  (await reading(() => database.select().from(apiTokens).where(eq(apiTokens.id, id))))[0] ?? null;

export const listApiTokens = (database: Database, afterId: string, limit: number): Promise<ApiTokenRow[]> =>
  reading(() => database.select().from(apiTokens).where(gt(apiTokens.id, afterId)).orderBy(asc(apiTokens.id)).limit(limit));

export const insertApiToken = (row: typeof apiTokens.$inferInsert): Statement => statementOf(build.insert(apiTokens).values(row));

export const revokeToken = (id: string, now: number): Statement =>
  statement("update api_tokens set revoked_at = ? where id = ? and revoked_at is null", now, id);
