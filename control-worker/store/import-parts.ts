import { and, asc, eq } from "drizzle-orm";
import { importParts } from "#schema/db/control/imports.ts";
import { type Database, reading } from "./database.ts";
import { type Statement, statement } from "./statement.ts";

export type ImportPartRow = typeof importParts.$inferSelect;
export type ImportPartId = Pick<ImportPartRow, "importId" | "part">;

export const findImportPart = async (database: Database, { importId, part }: ImportPartId): Promise<ImportPartRow | null> => {
  const isIt = and(eq(importParts.importId, importId), eq(importParts.part, part));
  return (await reading(() => database.select().from(importParts).where(isIt)))[0] ?? null;
};

export const listImportParts = (database: Database, importId: string): Promise<ImportPartRow[]> =>
  reading(() => database.select().from(importParts).where(eq(importParts.importId, importId)).orderBy(asc(importParts.part)));

/** How far a part has come; it never goes back, whoever sends it once more. */
export const noteImportPart = ({ importId, part, lines, isDone, updatedAt }: ImportPartRow): Statement =>
  statement(
    `insert into import_parts (import_id, part, lines, is_done, updated_at) values (?, ?, ?, ?, ?)
     on conflict (import_id, part) do update set lines = max(lines, excluded.lines), is_done = max(is_done, excluded.is_done),
       updated_at = excluded.updated_at`,
    ...[importId, part, lines, Number(isDone), updatedAt],
  );
