import { and, asc, eq, gt, isNull, or, sql } from "drizzle-orm";
import { cellChanges, meta } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type Database, reading } from "./database.ts";

export type ChangeRow = typeof cellChanges.$inferSelect;

/** `trimmedSeq`: a reader that stands before it would miss what was trimmed. */
export type FeedPosition = { readonly timeline: string; readonly seq: number; readonly trimmedSeq: number };
/** Rows, and the feed as it stood in the same transaction. */
export type FeedRead<Row> = { readonly feed: FeedPosition; readonly rows: readonly Row[] };

/** The timeline of all feeds, and from where to where they reach. */
export const feedPosition = (database: Database) =>
  database
    .select({
      timeline: meta.timeline,
      seq: sql<number>`(select coalesce(max(seq), 0) from cell_changes)`,
      trimmedSeq: sql<number>`(select coalesce(min(seq) - 1, 0) from cell_changes)`,
    })
    .from(meta);

export const requirePosition = ([position]: readonly FeedPosition[]): FeedPosition => {
  if (position === undefined) throw new Error("the database has no meta row: run npm run db:migrate");
  return position;
};

/** Each change of owner once: as its new owner learns it, or as erased. */
const onceEach = or(eq(cellChanges.cell, cellChanges.owner), isNull(cellChanges.owner));

/** The changes behind a position, in order: one cell's, or for null everybody's. */
export const readChanges = async (
  database: Database,
  cell: CellId | null,
  afterSeq: number,
  limit: number,
): Promise<FeedRead<ChangeRow>> => {
  const changes = database
    .select()
    .from(cellChanges)
    .where(and(gt(cellChanges.seq, afterSeq), cell === null ? onceEach : eq(cellChanges.cell, cell)))
    .orderBy(asc(cellChanges.seq))
    .limit(limit);
  const [positions, rows] = await reading(() => database.batch([feedPosition(database), changes]));
  return { feed: requirePosition(positions), rows };
};
