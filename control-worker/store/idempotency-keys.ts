import { eq } from "drizzle-orm";
import { idempotencyKeys } from "#schema/db/control/access.ts";
import { type Database, reading } from "./database.ts";
import { build, type Statement, statementOf } from "./statement.ts";

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

export const findIdempotencyKey = async (database: Database, id: string): Promise<IdempotencyRow | null> =>
  (await reading(() => database.select().from(idempotencyKeys).where(eq(idempotencyKeys.id, id))))[0] ?? null;

/** Refused, with all that goes with it, when the key has been used meanwhile. */
export const insertIdempotencyKey = (row: IdempotencyRow): Statement => statementOf(build.insert(idempotencyKeys).values(row));
