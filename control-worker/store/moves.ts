import { and, asc, eq, gt, inArray, max, type SQL, sql } from "drizzle-orm";
import { moves } from "#schema/db/control/moves.ts";
import { assignments } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Move, MoveState } from "#schema/domain/move.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Database, reading } from "./database.ts";

export type MoveRow = typeof moves.$inferSelect;
/** A move and the assignment of its vehicle, read together; `truth` null: the vehicle was erased. */
export type MoveFact = { readonly row: MoveRow; readonly truth: { readonly cell: CellId; readonly epoch: number } | null };

/** The move as schema/domain knows it. */
export const toMove = (row: MoveRow): Move => ({
  id: row.id,
  source: row.source,
  target: row.target,
  state: row.state,
  step: row.step,
  fromEpoch: row.fromEpoch,
  toEpoch: row.toEpoch,
  checksum: row.checksum,
  deadlineAt: row.deadlineAt,
  isReleased: row.isReleased,
  failure: row.failure,
});

const FACT = { row: moves, truth: { cell: assignments.cell, epoch: assignments.epoch } };

const selectFacts = (database: Database, where: SQL | undefined, limit: number) =>
  database.select(FACT).from(moves).leftJoin(assignments, eq(assignments.vin, moves.vin)).where(where).orderBy(asc(moves.seq)).limit(limit);

export const findMoves = (database: Database, ids: readonly string[]): Promise<MoveFact[]> =>
  reading(() => selectFacts(database, inArray(moves.id, [...ids]), ids.length));

/** The texts of the partial indexes of schema/db/control/moves.ts. */
const IN_HAND = {
  source: sql.raw("(state in ('locking', 'copying', 'switching', 'unlocking') or (state = 'arriving' and is_released = 0))"),
  target: sql.raw("state in ('locking', 'copying', 'switching', 'unlocking')"),
} as const;

/** A move that has made no step for so long is not worth a hurry. */
const HURRY_MS = 30_000;

export type Orders = {
  readonly facts: readonly MoveFact[];
  /** The newest transition of all moves. */
  readonly seq: number;
  /** Whether the cell is party to a move that waits for a cell and is under way. */
  readonly isBusy: boolean;
};

const partOf = (role: "source" | "target", cell: CellId, afterSeq: number): SQL | undefined =>
  and(eq(moves[role], cell), gt(moves.seq, afterSeq), afterSeq === 0 ? IN_HAND[role] : undefined);

/** A cell's moves whose last transition lies behind a position, oldest first; behind 0 those in hand only. */
export const readOrders = async (database: Database, cell: CellId, afterSeq: number, limit: number, now: number): Promise<Orders> => {
  const hurry = (role: "source" | "target") =>
    sql`exists (select 1 from moves where ${sql.raw(role)} = ${cell} and ${IN_HAND[role]} and updated_at > ${now - HURRY_MS})`;
  const [position, asSource, asTarget] = await reading(() =>
    database.batch([
      database
        .select({ seq: sql<number>`coalesce(${max(moves.seq)}, 0)`, isBusy: sql<number>`${hurry("source")} or ${hurry("target")}` })
        .from(moves),
      selectFacts(database, partOf("source", cell, afterSeq), limit),
      selectFacts(database, partOf("target", cell, afterSeq), limit),
    ]),
  );
  const facts = [...asSource, ...asTarget].sort((a, b) => a.row.seq - b.row.seq).slice(0, limit);
  return { facts, seq: position[0]?.seq ?? 0, isBusy: position[0]?.isBusy === 1 };
};

export type MoveFilter = { readonly campaign?: string | undefined; readonly vin?: Vin | undefined; readonly state?: MoveState | undefined };

export const listMoves = (database: Database, filter: MoveFilter, afterId: string, limit: number): Promise<MoveRow[]> => {
  const { campaign, vin, state } = filter;
  const where = and(
    gt(moves.id, afterId),
    campaign === undefined ? undefined : eq(moves.campaign, campaign),
    vin === undefined ? undefined : eq(moves.vin, vin),
    state === undefined ? undefined : eq(moves.state, state),
  );
  return reading(() => database.select().from(moves).where(where).orderBy(asc(moves.id)).limit(limit));
};

/** Moves under way towards each cell whose switch has not happened yet. */
export const readReserved = async (database: Database): Promise<ReadonlyMap<CellId, number>> => {
  const rows = await reading(() =>
    database
      .select({ target: moves.target, count: sql<number>`count(*)` })
      .from(moves)
      .where(sql`${IN_HAND.target} and state in ('locking', 'copying')`)
      .groupBy(moves.target),
  );
  return new Map(rows.map(({ target, count }) => [target, count]));
};

export const hasOpenMove = async (database: Database, vin: Vin): Promise<boolean> => {
  const where = sql`${moves.vin} = ${vin} and state not in ('done', 'aborted')`;
  return (await reading(() => database.select({ id: moves.id }).from(moves).where(where).limit(1))).length > 0;
};

/** Whether a cell still has something to do for a move. */
export const hasMovesInHand = async (database: Database, cell: CellId): Promise<boolean> => {
  const [row] = await reading(() =>
    database
      .select({ id: moves.id })
      .from(moves)
      .where(sql`(${moves.source} = ${cell} and ${IN_HAND.source}) or (${moves.target} = ${cell} and ${IN_HAND.target})`)
      .limit(1),
  );
  return row !== undefined;
};

/** Moves that wait for a source to take its lock off. */
export const listUnlocking = (database: Database, source: CellId, limit: number): Promise<MoveRow[]> =>
  reading(() =>
    database.select().from(moves).where(sql`${moves.source} = ${source} and ${IN_HAND.source} and state = 'unlocking'`).limit(limit),
  );

export type Forlorn = { readonly row: MoveRow; readonly isSourceDown: boolean; readonly isTargetDown: boolean };

/** Moves that count on a cell that is down, or that wait too long for a lock or a copy, and can still be given up. */
export const listForlorn = async (
  database: Database,
  copyingBefore: number,
  lockingDeadlineBefore: number,
  limit: number,
): Promise<Forlorn[]> => {
  const isDown = (role: "source" | "target") =>
    sql<number>`exists (select 1 from cells where cells.id = ${sql.raw(`moves.${role}`)} and cells.health = 'down')`;
  const rows = await reading(() =>
    database
      .select({ row: moves, isSourceDown: isDown("source"), isTargetDown: isDown("target") })
      .from(moves)
      .where(
        sql`(${moves.state} = 'copying' and (${moves.updatedAt} < ${copyingBefore} or ${isDown("source")} or ${isDown("target")}))
         or (${moves.state} = 'locking' and (${moves.deadlineAt} < ${lockingDeadlineBefore} or ${isDown("source")} or ${isDown("target")}))`,
      )
      .limit(limit),
  );
  return rows.map(({ row, isSourceDown, isTargetDown }) => ({ row, isSourceDown: isSourceDown === 1, isTargetDown: isTargetDown === 1 }));
};
