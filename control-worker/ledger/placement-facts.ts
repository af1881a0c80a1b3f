import type { CellHealth, CellId, CellState } from "#schema/domain/cell.ts";
import type { RuleCell } from "#schema/domain/rules.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Row } from "../store/statement.ts";
import type { VehicleAttributes } from "../store/vehicles.ts";

/** What is known of a vehicle that is to be placed; `attributes` null: it is not registered. */
export type PlacementFact = {
  readonly attributes: VehicleAttributes | null;
  readonly assignment: { readonly cell: CellId; readonly epoch: number; readonly vinKey: VinKey } | null;
};
export type PlacementFacts = ReadonlyMap<Vin, PlacementFact>;

/** When a cell may be placed on: some time after the edge got its endpoints, and never before. */
export const placeableAtOf = (endpointsPublishedAt: number | null, placeableAfterSeconds: number): number =>
  endpointsPublishedAt === null ? Number.POSITIVE_INFINITY : endpointsPublishedAt + placeableAfterSeconds * 1000;

/** A row of `readPlacementCells`. */
export const toPlacementCell = (row: Row, placeableAfterSeconds: number): RuleCell => {
  const publishedAt = row["endpointsPublishedAt"];
  return {
    id: row["id"] as CellId,
    region: row["region"] as string,
    zone: row["zone"] as string | null,
    tags: JSON.parse(row["tags"] as string) as string[],
    state: row["state"] as CellState,
    health: row["health"] as CellHealth,
    weight: Number(row["weight"]),
    hardLimit: Number(row["hardLimit"]),
    room: Number(row["room"]),
    placeableAt: placeableAtOf(publishedAt === null ? null : Number(publishedAt), placeableAfterSeconds),
  };
};

/** A row of `readPlacementFacts`. */
export const toPlacementFact = (row: Row): readonly [Vin, PlacementFact] => {
  const { cell, epoch, vinKey, zone, usageRegion, model, tier, fleet, tenant } = row as VehicleAttributes & {
    cell: CellId | null;
    epoch: number;
    vinKey: VinKey;
  };
  const attributes = row["isKnown"] === 1 ? { zone, usageRegion, model, tier, fleet, tenant } : null;
  return [row["vin"] as Vin, { attributes, assignment: cell === null ? null : { cell, epoch, vinKey } }];
};
