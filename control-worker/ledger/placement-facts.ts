import type { CellHealth, CellId, CellState } from "#schema/domain/cell.ts";
import type { PlacementCell } from "#schema/domain/placement.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Row } from "../store/statement.ts";

/** What is known of a vehicle that is to be placed. */
export type PlacementFact = {
  readonly isKnown: boolean;
  readonly zone: string | null;
  readonly assignment: { readonly cell: CellId; readonly epoch: number; readonly vinKey: VinKey } | null;
};
export type PlacementFacts = ReadonlyMap<Vin, PlacementFact>;

/** A row of `readPlacementCells`. A cell whose endpoints the edge does not have yet is never placeable. */
export const toPlacementCell = (row: Row, placeableAfterSeconds: number): PlacementCell => {
  const publishedAt = row["endpointsPublishedAt"];
  return {
    id: row["id"] as CellId,
    zone: row["zone"] as string | null,
    state: row["state"] as CellState,
    health: row["health"] as CellHealth,
    weight: Number(row["weight"]),
    room: Number(row["room"]),
    placeableAt: publishedAt === null ? Number.POSITIVE_INFINITY : Number(publishedAt) + placeableAfterSeconds * 1000,
  };
};

/** A row of `readPlacementFacts`. */
export const toPlacementFact = (row: Row): readonly [Vin, PlacementFact] => {
  const { cell, epoch, vinKey } = row as { cell: CellId | null; epoch: number; vinKey: VinKey };
  const assignment = cell === null ? null : { cell, epoch, vinKey };
  return [row["vin"] as Vin, { isKnown: row["isKnown"] === 1, zone: row["zone"] as string | null, assignment }];
};
