import type { CellId } from "#schema/domain/cell.ts";
import type { RuleCell } from "#schema/domain/rules.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { insertAssignments, readPlacementFacts } from "../store/assignments.ts";
import { readPlacementCells } from "../store/cells.ts";
import type { Result, Statement } from "../store/statement.ts";
import { enrolVehicles, importVehicles } from "../store/vehicles.ts";
import { type PlacementFacts, toPlacementCell, toPlacementFact } from "./placement-facts.ts";
import type { PlacementPlan, PlacementRequest } from "./plan-placements.ts";
import type { Candidate, PlacementOutcome } from "./port.ts";

/** What must be read before placements can be planned. */
export const readFor = (requests: readonly PlacementRequest[]): readonly Statement[] => {
  const vins = new Set(requests.flatMap(({ candidates }) => candidates.map(({ vin }) => vin)));
  return [readPlacementCells, readPlacementFacts([...vins])];
};

export const toFacts = (
  [cells, vehicles]: readonly Result[],
  placeableAfterSeconds: number,
): { readonly cells: readonly RuleCell[]; readonly facts: PlacementFacts } => ({
  cells: (cells?.rows ?? []).map((row) => toPlacementCell(row, placeableAfterSeconds)),
  facts: new Map((vehicles?.rows ?? []).map(toPlacementFact)),
});

/** The plan as SQL: one statement each for all vehicles and all assignments. */
export const toStatements = ({ enrol, imports, assign }: PlacementPlan, now: number): readonly Statement[] => [
  ...(enrol.length > 0 ? [enrolVehicles(enrol, now)] : []),
  ...(imports.length > 0 ? [importVehicles(imports, now)] : []),
  ...(assign.size > 0 ? [insertAssignments([...assign.values()], now)] : []),
];

/** What the database made of the plan. */
export type Made = { readonly changed: ReadonlySet<Vin>; readonly placed: ReadonlyMap<Vin, { cell: CellId; epoch: number }> };

/** Reads the rows that the plan's statements returned: assignments carry an epoch, vehicles do not. */
export const toMade = (plan: PlacementPlan, results: readonly Result[]): Made => {
  const changed = new Set<Vin>();
  const placed = new Map<Vin, { cell: CellId; epoch: number }>();
  for (const { vin, epoch } of results.flatMap(({ rows }) => rows) as { vin: Vin; epoch?: number }[]) {
    const cell = plan.assign.get(vin)?.cell;
    if (epoch === undefined) changed.add(vin);
    else if (cell !== undefined) placed.set(vin, { cell, epoch });
  }
  return { changed, placed };
};

/** One candidate's outcome, from what was known, planned and made. */
export const outcomeOf = ({ vin, vinKey }: Candidate, facts: PlacementFacts, plan: PlacementPlan, made: Made): PlacementOutcome => {
  const isChanged = made.changed.has(vin);
  const before = facts.get(vin)?.assignment;
  const refusal = plan.refused.get(vin);
  if (refusal === "zone_mismatch") return { kind: "refused", code: refusal, isChanged };
  if (before) return { kind: "assigned", ...before, rule: null, isChanged };
  const placed = made.placed.get(vin);
  if (placed === undefined) return { kind: "refused", code: refusal ?? "busy", isChanged };
  return { kind: "placed", vinKey, ...placed, rule: plan.assign.get(vin)?.rule ?? null, isChanged };
};
