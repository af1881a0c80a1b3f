import type { CellHealth, CellId, CellState } from "./cell.ts";
import { hash53 } from "./hash.ts";
import type { VinKey } from "./vin-key.ts";

/** A cell as placement sees it. `room` is hard limit less vehicles; `placeableAt` is milliseconds since the epoch. */
export type PlacementCell = {
  readonly id: CellId;
  readonly zone: string | null;
  readonly state: CellState;
  readonly health: CellHealth;
  readonly weight: number;
  readonly room: number;
  readonly placeableAt: number;
};

export type PlacementRefusal = "no_capacity" | "no_cell_in_zone";
export type Placement =
  | { readonly kind: "placed"; readonly cell: CellId }
  | { readonly kind: "refused"; readonly reason: PlacementRefusal };

/** Whether a cell takes one more vehicle at this time. */
export const isPlaceable = (cell: PlacementCell, now: number): boolean =>
  cell.state === "active" && cell.health === "healthy" && cell.room > 0 && cell.placeableAt <= now && cell.weight > 0;

/** Weight over an exponential variate; log1p keeps the smallest hashes exact and the score above zero. */
export const scoreOf = (vinKey: VinKey, cell: PlacementCell): number =>
  cell.weight / -Math.log1p(-hash53(`${cell.id}/${vinKey}`) / 2 ** 53);

/**
 * The cell of a vehicle that has none: among active, healthy cells of its zone with room, the highest score of weighted rendezvous
 * hashing (Schindelhauer and Schomaker 2005, logarithmic method). A vehicle without a zone may go to any cell.
 */
export const choosePlacement = (
  vehicle: { readonly vinKey: VinKey; readonly zone: string | null },
  cells: readonly PlacementCell[],
  now: number,
): Placement => {
  const legal = cells.filter((cell) => vehicle.zone === null || cell.zone === vehicle.zone);
  if (legal.length === 0) return { kind: "refused", reason: "no_cell_in_zone" };
  let best: { cell: CellId; score: number } | null = null;
  for (const cell of legal) {
    if (!isPlaceable(cell, now)) continue;
    const score = scoreOf(vehicle.vinKey, cell);
    if (best === null || score > best.score) best = { cell: cell.id, score };
  }
  return best === null ? { kind: "refused", reason: "no_capacity" } : { kind: "placed", cell: best.cell };
};
