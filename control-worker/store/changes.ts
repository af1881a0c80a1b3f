import { and, asc, eq, gt, isNull, or, sql } from "drizzle-orm";
import { cellChanges, meta } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type Database, reading } from "./database.ts";

export type ChangeRow = typeof cellChanges.$inferSelect;

/** A cell's changes behind a position, in order. */
export const listChanges = (database: Database, cell: CellId, afterSeq: number, limit: number): Promise<ChangeRow[]> =>
  reading(
    database
      .select()
      .from(cellChanges)
      .where(and(eq(cellChanges.cell, cell), gt(cellChanges.seq, afterSeq)))
      .orderBy(asc(cellChanges.seq))
      .limit(limit),
  );

/** Every cell's changes behind a position, in order, each change of owner once: as its new owner learns it, or as erased. */
export const listAllChanges = (database: Database, afterSeq: number, limit: number): Promise<ChangeRow[]> =>
  reading(
    database
      .select()
      .from(cellChanges)
      .where(and(gt(cellChanges.seq, afterSeq), or(eq(cellChanges.cell, cellChanges.owner), isNull(cellChanges.owner))))
      .orderBy(asc(cellChanges.seq))
      .limit(limit),
  );

export type FeedPosition = { readonly timeline: string; readonly seq: number };

/** The timeline of all feeds and the newest position in them. */
export const readFeedPosition = async (database: Database): Promise<FeedPosition> => {
  const newest = sql<number>`(select coalesce(max(seq), 0) from cell_changes)`;
  const [row] = await reading(database.select({ timeline: meta.timeline, seq: newest }).from(meta));
  if (row === undefined) throw new Error("the database has no meta row: run npm run db:migrate");
  return row;
};
