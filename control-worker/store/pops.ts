import { eq } from "drizzle-orm";
import { pops } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type Database, reading } from "./database.ts";
import { build, type Statement, statementOf } from "./statement.ts";

export type PopRow = typeof pops.$inferSelect;

export const findPop = async (database: Database, id: CellId): Promise<PopRow | null> =>
  (await reading(() => database.select().from(pops).where(eq(pops.id, id))))[0] ?? null;

export const listPops = (database: Database): Promise<PopRow[]> => reading(() => database.select().from(pops).orderBy(pops.id));

export const insertPop = (row: PopRow): Statement => statementOf(build.insert(pops).values(row));

export const deletePop = (id: CellId): Statement => statementOf(build.delete(pops).where(eq(pops.id, id)));
