import { eq } from "drizzle-orm";
import { joinTokens } from "#schema/db/control/tables.ts";
import { type Database, reading } from "./database.ts";
import { assertThat, build, type Statement, statement, statementOf } from "./statement.ts";

export type JoinTokenRow = typeof joinTokens.$inferSelect;

export const findJoinToken = async (database: Database, tokenHash: string): Promise<JoinTokenRow | null> =>
  (await reading(() => database.select().from(joinTokens).where(eq(joinTokens.tokenHash, tokenHash))))[0] ?? null;

export const insertJoinToken = (row: typeof joinTokens.$inferInsert): Statement => statementOf(build.insert(joinTokens).values(row));

/** Uses a token up; refused when somebody else has. */
export const useJoinToken = (id: string, joiner: { readonly id: string; readonly thumbprint: string }): readonly Statement[] => [
  assertThat("(select used_by from join_tokens where id = ?) is null", id),
  statement("update join_tokens set used_by = ?, used_by_key = ? where id = ?", joiner.id, joiner.thumbprint, id),
];
