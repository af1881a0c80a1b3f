import type { CellId } from "#schema/domain/cell.ts";
import { type RulesInUse, ruleName, ruleSetFor } from "#schema/domain/rule-set.ts";
import { chooseByRules, type RuleCell } from "#schema/domain/rules.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { ruleFactsOf } from "../rule-facts.ts";
import type { NewAssignment } from "../store/assignments.ts";
import type { NewVehicle, VehicleAttributes } from "../store/vehicles.ts";
import type { PlacementFact, PlacementFacts } from "./placement-facts.ts";
import type { Candidate, PlacementMode, PlacementRefusal } from "./port.ts";

export type PlacementRequest = { readonly candidates: readonly Candidate[]; readonly mode: PlacementMode };

type PlannedAssignment = NewAssignment & { readonly rule: string | null };

export type PlacementPlan = {
  /** Registered if unknown; registered or brought up to date. */
  readonly enrol: readonly NewVehicle[];
  readonly imports: readonly NewVehicle[];
  readonly assign: ReadonlyMap<Vin, PlannedAssignment>;
  readonly refused: ReadonlyMap<Vin, PlacementRefusal>;
};

export const EMPTY_PLAN: PlacementPlan = { enrol: [], imports: [], assign: new Map(), refused: new Map() };

type Cells = ReadonlyMap<CellId, RuleCell>;
type Decision =
  | { readonly kind: "refuse"; readonly refusal: "not_enrolled" | "zone_mismatch" }
  | { readonly kind: "accept"; readonly attributes: VehicleAttributes; readonly isNew: boolean };

const decide = (
  { vehicle }: Candidate,
  mode: PlacementMode,
  fact: PlacementFact | undefined,
  owner: CellId | undefined,
  cells: Cells,
): Decision => {
  const known = fact?.attributes ?? null;
  const attributes = mode === "import" ? (vehicle ?? known) : (known ?? vehicle);
  if (attributes === null) return { kind: "refuse", refusal: "not_enrolled" };
  const { zone } = attributes;
  const isAway = zone !== null && owner !== undefined && cells.get(owner)?.zone !== zone;
  return isAway ? { kind: "refuse", refusal: "zone_mismatch" } : { kind: "accept", attributes, isNew: known === null };
};

/** Decides what to write for a gathering of placements, over the exact state of cells and vehicles; room is used up as it goes. */
export const planPlacements = (
  requests: readonly PlacementRequest[],
  facts: PlacementFacts,
  cells: readonly RuleCell[],
  rules: RulesInUse,
  now: number,
): PlacementPlan => {
  const open = new Map(cells.map((cell) => [cell.id, cell]));
  const plan = {
    enrol: [] as NewVehicle[],
    imports: [] as NewVehicle[],
    assign: new Map<Vin, PlannedAssignment>(),
    refused: new Map<Vin, PlacementRefusal>(),
  };
  const place = ({ vin, vinKey }: Candidate, mode: PlacementMode, attributes: VehicleAttributes): void => {
    const set = ruleSetFor(rules, vinKey);
    const choice = chooseByRules(set?.rules ?? [], ruleFactsOf({ vin, vinKey, ...attributes }, now), [...open.values()], now);
    if (choice.kind === "refused") {
      plan.refused.set(vin, choice.reason);
      return;
    }
    const chosen = open.get(choice.cell);
    if (chosen !== undefined) open.set(choice.cell, { ...chosen, room: chosen.room - 1 });
    plan.assign.set(vin, { vin, vinKey, cell: choice.cell, lane: mode === "import" ? "bulk" : "single", rule: ruleName(set, choice.rule) });
  };
  for (const { candidates, mode } of requests) {
    for (const candidate of candidates) {
      const { vin, vehicle } = candidate;
      const fact = facts.get(vin);
      const owner = fact?.assignment?.cell ?? plan.assign.get(vin)?.cell;
      const decision = decide(candidate, mode, fact, owner, open);
      if (decision.kind === "refuse") {
        plan.refused.set(vin, decision.refusal);
        continue;
      }
      if (vehicle !== null && mode === "import") plan.imports.push(vehicle);
      if (vehicle !== null && mode === "edge" && decision.isNew) plan.enrol.push(vehicle);
      if (owner === undefined) place(candidate, mode, decision.attributes);
    }
  }
  return plan;
};
