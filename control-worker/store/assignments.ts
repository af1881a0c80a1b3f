import { and, eq, gt, inArray, sql } from "drizzle-orm";
import { assignments, type Lane } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { type FeedRead, feedPosition, requirePosition } from "./changes.ts";
import { type Database, reading } from "./database.ts";
import { type Statement, statement } from "./statement.ts";

export type Assignment = {
  readonly vin: Vin;
  readonly vinKey: VinKey;
  readonly cell: CellId;
  readonly epoch: number;
  readonly updatedAt: number;
};

const COLUMNS = {
  vin: assignments.vin,
  vinKey: assignments.vinKey,
  cell: assignments.cell,
  epoch: assignments.epoch,
  updatedAt: assignments.updatedAt,
};

export const findAssignment = async (database: Database, vin: Vin): Promise<Assignment | null> =>
  (await reading(() => database.select(COLUMNS).from(assignments).where(eq(assignments.vin, vin))))[0] ?? null;

export const findAssignments = (database: Database, vins: readonly Vin[]): Promise<Assignment[]> =>
  reading(() =>
    database
      .select(COLUMNS)
      .from(assignments)
      .where(inArray(assignments.vin, [...vins])),
  );

/** The assignments behind a VIN, in VIN order: one cell's, or for null everybody's. */
export const readSnapshot = async (
  database: Database,
  cell: CellId | null,
  afterVin: string,
  limit: number,
): Promise<FeedRead<Assignment>> => {
  const page = database
    .select(COLUMNS)
    .from(assignments)
    .where(and(gt(assignments.vin, afterVin as Vin), cell === null ? undefined : eq(assignments.cell, cell)))
    .orderBy(assignments.vin)
    .limit(limit);
  const [positions, rows] = await reading(() => database.batch([feedPosition(database), page]));
  return { feed: requirePosition(positions), rows };
};

/** Those of these vinKeys (under the current pepper) that a vehicle with a cell has. Reads the whole table: for slow work only. */
export const findOwnedVinKeys = async (database: Database, vinKeys: readonly VinKey[]): Promise<VinKey[]> => {
  const isWanted = sql`${assignments.vinKey} in (select value from json_each(${JSON.stringify(vinKeys)}))`;
  const rows = await reading(() => database.select({ vinKey: assignments.vinKey }).from(assignments).where(isWanted));
  return rows.map(({ vinKey }) => vinKey);
};

/** What placement must know of these vehicles: one row each, known or not. */
export const readPlacementFacts = (vins: readonly Vin[]): Statement =>
  statement(
    `select wanted.value as vin, vehicles.vin is not null as isKnown, vehicles.zone as zone,
            vehicles.usage_region as usageRegion, vehicles.model as model, vehicles.tier as tier, vehicles.fleet as fleet,
            vehicles.tenant as tenant, assignments.cell as cell, assignments.epoch as epoch, assignments.vin_key as vinKey
     from json_each(?) as wanted
     left join vehicles on vehicles.vin = wanted.value
     left join assignments on assignments.vin = wanted.value`,
    JSON.stringify(vins),
  );

export type NewAssignment = { readonly vin: Vin; readonly vinKey: VinKey; readonly cell: CellId; readonly lane: Lane };

/** Assigns vehicles that have no cell; the triggers leave out what does not fit. Answers the rows that were made. */
export const insertAssignments = (rows: readonly NewAssignment[], now: number): Statement =>
  statement(
    `insert into assignments (vin, vin_key, cell, lane, epoch, updated_at)
     select new.value ->> 0, new.value ->> 1, new.value ->> 2, new.value ->> 3, (select epoch_floor + 1 from meta), ?
     from json_each(?) as new where true
     on conflict (vin) do nothing returning vin, epoch`,
    now,
    JSON.stringify(rows.map((row) => [row.vin, row.vinKey, row.cell, row.lane])),
  );

/** Gives vehicles of a cell to another one, each at its next epoch; the triggers leave out those that it is not open to. */
export const reassignAll = (from: CellId, to: CellId, limit: number, now: number): Statement =>
  statement(
    `update assignments set cell = ?, epoch = max(epoch, (select epoch_floor from meta)) + 1, lane = 'bulk', updated_at = ?
     where vin in (select vin from assignments where cell = ? order by vin limit ?)`,
    to,
    now,
    from,
    limit,
  );

/** Gives a vehicle to another cell at the next epoch; the triggers leave it where it is when the cell is not open to it. */
export const reassign = (vin: Vin, cell: CellId, now: number): Statement =>
  statement(
    `update assignments set cell = ?, epoch = max(epoch, (select epoch_floor from meta)) + 1, lane = 'single', updated_at = ?
     where vin = ? and cell <> ?`,
    cell,
    now,
    vin,
    cell,
  );
