import { and, eq, gt, gte, lte, type SQL } from "drizzle-orm";
import { assignments, vehicles } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Market } from "#schema/domain/wmi.ts";
import { type Database, reading } from "./database.ts";
import { build, type Statement, statement, statementOf } from "./statement.ts";

export type VehicleAttributes = {
  readonly zone: string | null;
  readonly usageRegion: string | null;
  readonly model: string | null;
  readonly tier: string | null;
  readonly fleet: string | null;
  readonly tenant: string | null;
};
export type NewVehicle = VehicleAttributes & { readonly vin: Vin; readonly vinKey: VinKey; readonly market: Market };

const selection = { vehicle: vehicles, cell: assignments.cell, epoch: assignments.epoch };
export type VehicleRow = { vehicle: typeof vehicles.$inferSelect; cell: CellId | null; epoch: number | null };

export const findVehicle = async (database: Database, vin: Vin): Promise<VehicleRow | null> =>
  (
    await reading(() =>
      database.select(selection).from(vehicles).leftJoin(assignments, eq(assignments.vin, vehicles.vin)).where(eq(vehicles.vin, vin)),
    )
  )[0] ?? null;

export type VehicleQuery = VehicleAttributesFilter & { readonly cell?: CellId | undefined; readonly vinPrefix?: string | undefined };
type VehicleAttributesFilter = {
  readonly [Name in keyof VehicleAttributes | "market" | "isPinned"]?: (typeof vehicles.$inferSelect)[Name] | undefined;
};

const FILTERED = ["market", "zone", "usageRegion", "model", "tier", "fleet", "tenant", "isPinned"] as const;

/** A VIN's last possible character is Z. */
const conditionsOf = ({ vinPrefix, ...filter }: VehicleQuery, vin: typeof vehicles.vin | typeof assignments.vin): (SQL | undefined)[] => [
  ...(vinPrefix === undefined ? [] : [gte(vin, vinPrefix as Vin), lte(vin, vinPrefix.padEnd(17, "Z") as Vin)]),
  ...FILTERED.map((name) => {
    const value = filter[name];
    return value === undefined || value === null ? undefined : eq(vehicles[name], value);
  }),
];

/** Vehicles that fit a query, in VIN order; one cell's are found by its index. */
export const listVehicles = (database: Database, query: VehicleQuery, afterVin: string, limit: number): Promise<VehicleRow[]> => {
  const after = afterVin as Vin;
  if (query.cell === undefined) {
    const conditions = and(gt(vehicles.vin, after), ...conditionsOf(query, vehicles.vin));
    const all = database.select(selection).from(vehicles).leftJoin(assignments, eq(assignments.vin, vehicles.vin));
    return reading(() => all.where(conditions).orderBy(vehicles.vin).limit(limit));
  }
  const conditions = and(eq(assignments.cell, query.cell), gt(assignments.vin, after), ...conditionsOf(query, assignments.vin));
  const ofCell = database.select(selection).from(assignments).innerJoin(vehicles, eq(vehicles.vin, assignments.vin));
  return reading(() => ofCell.where(conditions).orderBy(assignments.vin).limit(limit));
};

const COLUMNS = ["vin", "vin_key", "market", "zone", "usage_region", "model", "tier", "fleet", "tenant"] as const;
const IMPORTED = COLUMNS.slice(2);

const insertFrom = (rows: readonly NewVehicle[], now: number, onConflict: string): Statement =>
  statement(
    `insert into vehicles (${COLUMNS.join(", ")}, updated_at)
     select ${COLUMNS.map((_, index) => `new.value ->> ${index}`).join(", ")}, ? from json_each(?) as new where true
     on conflict (vin) do ${onConflict} returning vin`,
    now,
    JSON.stringify(
      rows.map((row) => [row.vin, row.vinKey, row.market, row.zone, row.usageRegion, row.model, row.tier, row.fleet, row.tenant]),
    ),
  );

/** Registers vehicles that are not known yet. */
export const enrolVehicles = (rows: readonly NewVehicle[], now: number): Statement => insertFrom(rows, now, "nothing");

/** Registers vehicles or brings them to what the import says; answers those that were new or changed. */
export const importVehicles = (rows: readonly NewVehicle[], now: number): Statement => {
  const set = IMPORTED.map((column) => `${column} = excluded.${column}`).join(", ");
  const differs = IMPORTED.map((column) => `vehicles.${column} is not excluded.${column}`).join(" or ");
  return insertFrom(rows, now, `update set ${set}, version = vehicles.version + 1, updated_at = excluded.updated_at where ${differs}`);
};

export type VehicleChange = Partial<VehicleAttributes & { readonly isPinned: boolean }>;

export const updateVehicle = (vin: Vin, attributes: VehicleChange, version: number, now: number): Statement =>
  statementOf(
    build
      .update(vehicles)
      .set({ ...attributes, version, updatedAt: now })
      .where(eq(vehicles.vin, vin)),
  );
