import type { CellHealth, CellId, CellState } from "#schema/domain/cell.ts";
import { choosePlacement, type PlacementCell } from "#schema/domain/placement.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { NewAssignment } from "../store/assignments.ts";
import type { Row } from "../store/statement.ts";
import type { NewVehicle } from "../store/vehicles.ts";
import type { Candidate, PlacementMode, PlacementOutcome, PlacementRefusal } from "./port.ts";

export type PlacementFact = {
  readonly isKnown: boolean;
  readonly zone: string | null;
  readonly assignment: { readonly cell: CellId; readonly epoch: number; readonly vinKey: VinKey } | null;
};

export type PlacementRequest = { readonly candidates: readonly Candidate[]; readonly mode: PlacementMode };

export type PlacementPlan = {
  readonly enrol: readonly NewVehicle[];
  readonly imports: readonly NewVehicle[];
  readonly assign: readonly NewAssignment[];
  /** What is decided already, by VIN: refused, or assigned before. */
  readonly refused: ReadonlyMap<Vin, PlacementRefusal>;
};

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

export const toPlacementFact = (row: Row): readonly [Vin, PlacementFact] => {
  const { cell, epoch, vinKey } = row as { cell: CellId | null; epoch: number; vinKey: VinKey };
  const assignment = cell === null ? null : { cell, epoch, vinKey };
  return [row["vin"] as Vin, { isKnown: row["isKnown"] === 1, zone: row["zone"] as string | null, assignment }];
};

const zoneFault = (zone: string | null, assigned: CellId | undefined, cells: ReadonlyMap<CellId, PlacementCell>): boolean =>
  zone !== null && assigned !== undefined && cells.get(assigned)?.zone !== zone;

/** Decides what to write for a gathering of placements, over the exact state of cells and vehicles; room is used up as it goes. */
export const planPlacements = (
  requests: readonly PlacementRequest[],
  facts: ReadonlyMap<Vin, PlacementFact>,
  cells: readonly PlacementCell[],
  now: number,
): PlacementPlan => {
  const open = new Map(cells.map((cell) => [cell.id, cell]));
  const enrol: NewVehicle[] = [];
  const imports: NewVehicle[] = [];
  const assign = new Map<Vin, NewAssignment>();
  const refused = new Map<Vin, PlacementRefusal>();
  for (const { candidates, mode } of requests) {
    for (const { vin, vinKey, vehicle } of candidates) {
      const fact = facts.get(vin);
      const isNew = fact?.isKnown !== true;
      const zone = vehicle !== null && (mode === "import" || isNew) ? vehicle.zone : (fact?.zone ?? null);
      if (isNew && vehicle === null) {
        refused.set(vin, "not_enrolled");
        continue;
      }
      if (zoneFault(zone, fact?.assignment?.cell ?? assign.get(vin)?.cell, open)) {
        refused.set(vin, "zone_mismatch");
        continue;
      }
      if (vehicle !== null && mode === "import") imports.push(vehicle);
      else if (vehicle !== null && isNew) enrol.push(vehicle);
      if (fact?.assignment || assign.has(vin)) continue;
      const choice = choosePlacement({ vinKey, zone }, [...open.values()], now);
      if (choice.kind === "refused") {
        refused.set(vin, choice.reason);
        continue;
      }
      assign.set(vin, { vin, vinKey, cell: choice.cell, lane: mode === "import" ? "bulk" : "single" });
      const chosen = open.get(choice.cell);
      if (chosen !== undefined) open.set(choice.cell, { ...chosen, room: chosen.room - 1 });
    }
  }
  return { enrol, imports, assign: [...assign.values()], refused };
};

/** Reads each candidate's outcome from the plan and from what the database made of it. */
export const outcomeOf = (
  candidate: Candidate,
  known: { readonly facts: ReadonlyMap<Vin, PlacementFact>; readonly plan: PlacementPlan },
  made: { readonly changed: ReadonlySet<Vin>; readonly placed: ReadonlyMap<Vin, { cell: CellId; epoch: number }> },
): PlacementOutcome => {
  const isChanged = made.changed.has(candidate.vin);
  const before = known.facts.get(candidate.vin)?.assignment;
  const refusal = known.plan.refused.get(candidate.vin);
  if (refusal === "zone_mismatch") return { kind: "refused", code: refusal, isChanged };
  if (before) return { kind: "assigned", ...before, isChanged };
  const placed = made.placed.get(candidate.vin);
  if (placed !== undefined) return { kind: "placed", vinKey: candidate.vinKey, ...placed, isChanged };
  return { kind: "refused", code: refusal ?? "busy", isChanged };
};
