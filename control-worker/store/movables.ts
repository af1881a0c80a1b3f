import { and, eq, inArray, sql } from "drizzle-orm";
import { moves } from "#schema/db/control/moves.ts";
import { assignments, vehicles } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Database, reading } from "./database.ts";

/** A vehicle's earlier moves: the highest step, whether one is open, and how many changed its cell since a time. */
export type Past = { readonly step: number; readonly isOpen: boolean; readonly recent: number };

export const readPast = async (database: Database, vins: readonly Vin[], since: number): Promise<ReadonlyMap<Vin, Past>> => {
  const rows = await reading(() =>
    database
      .select({
        vin: moves.vin,
        step: sql<number>`max(${moves.step})`,
        open: sql<number>`max(${moves.state} not in ('done', 'aborted'))`,
        recent: sql<number>`sum(${moves.toEpoch} is not null and ${moves.createdAt} >= ${since})`,
      })
      .from(moves)
      .where(sql`${moves.vin} in (select value from json_each(${JSON.stringify(vins)}))`)
      .groupBy(moves.vin),
  );
  return new Map(rows.map(({ vin, step, open, recent }) => [vin, { step, isOpen: open === 1, recent }]));
};

/** What a campaign may move, as it stands now. */
export type Movable = {
  readonly vin: Vin;
  readonly vinKey: typeof vehicles.$inferSelect.vinKey;
  readonly zone: string | null;
  readonly cell: CellId | null;
  readonly epoch: number | null;
  readonly isPinned: boolean;
};

const MOVABLE = {
  vin: vehicles.vin,
  vinKey: vehicles.vinKey,
  zone: vehicles.zone,
  cell: assignments.cell,
  epoch: assignments.epoch,
  isPinned: vehicles.isPinned,
};

export const findMovables = (database: Database, vins: readonly Vin[]): Promise<Movable[]> =>
  reading(() =>
    database
      .select(MOVABLE)
      .from(vehicles)
      .leftJoin(assignments, eq(assignments.vin, vehicles.vin))
      .where(sql`${vehicles.vin} in (select value from json_each(${JSON.stringify(vins)}))`)
      .orderBy(vehicles.vin),
  );

/** Vehicles of a cell that are in no open move, in VIN order. */
export const listMovablesOf = (database: Database, cell: CellId, limit: number): Promise<Movable[]> =>
  reading(() =>
    database
      .select(MOVABLE)
      .from(assignments)
      .innerJoin(vehicles, eq(vehicles.vin, assignments.vin))
      .where(
        and(
          eq(assignments.cell, cell),
          sql`not exists (select 1 from moves where moves.vin = ${assignments.vin} and state not in ('done', 'aborted'))`,
        ),
      )
      .orderBy(assignments.vin)
      .limit(limit),
  );

/** Open moves towards each cell whose switch has not happened yet: room that is spoken for. */
export const readInbound = async (database: Database): Promise<ReadonlyMap<CellId, number>> => {
  const rows = await reading(() =>
    database
      .select({ target: moves.target, count: sql<number>`count(*)` })
      .from(moves)
      .where(inArray(moves.state, ["planned", "locking", "copying"]))
      .groupBy(moves.target),
  );
  return new Map(rows.map(({ target, count }) => [target, count]));
};
