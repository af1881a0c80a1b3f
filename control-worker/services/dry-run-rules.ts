import type { DryRunReport } from "#schema/api/rule-sets.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { chooseByRules, type PlacementRule, type RuleCell } from "#schema/domain/rules.ts";
import type { Deps } from "../deps.ts";
import { ruleFactsOf } from "../rule-facts.ts";
import { type CellRow, listCells } from "../store/cells.ts";
import { listVehicles, type VehicleRow } from "../store/vehicles.ts";

const PAGE = 1_000;

type Flow = { readonly from: CellId | null; readonly to: CellId | null; readonly rule: string | null; vehicles: number };

/** An empty cell that may be placed on now. */
const emptyCell = ({ id, region, zone, tags, state, health, weight, hardLimit }: CellRow): RuleCell => ({
  ...{ id, region, zone, tags, state, health, weight, hardLimit, room: hardLimit },
  placeableAt: 0,
});

const compareFlows = (a: Flow, b: Flow): number => b.vehicles - a.vehicles;

/** Where each vehicle would go if all were placed anew, in VIN order, into empty cells; counts what differs from where they are. */
class DryRun {
  readonly #rules: readonly PlacementRule[];
  readonly #cells: Map<CellId, RuleCell>;
  readonly #now: number;
  readonly #flows = new Map<string, Flow>();
  readonly #byRule = new Map<string | null, number>();
  vehicles = 0;
  changed = 0;
  unplaced = 0;

  constructor(rules: readonly PlacementRule[], cells: readonly RuleCell[], now: number) {
    this.#rules = rules;
    this.#cells = new Map(cells.map((cell) => [cell.id, cell]));
    this.#now = now;
  }

  /** The change for one vehicle; null when it stays. */
  place({ vehicle, cell: from }: VehicleRow): Extract<DryRunReport, { kind: "change" }> | null {
    const choice = chooseByRules(this.#rules, ruleFactsOf(vehicle, this.#now, from), [...this.#cells.values()], this.#now);
    const to = choice.kind === "placed" ? choice.cell : null;
    const taken = to === null ? undefined : this.#cells.get(to);
    if (taken !== undefined) this.#cells.set(taken.id, { ...taken, room: taken.room - 1 });
    const { rule } = choice;
    this.vehicles += 1;
    this.#byRule.set(rule, (this.#byRule.get(rule) ?? 0) + 1);
    if (to === null) this.unplaced += 1;
    if (to === from) return null;
    this.changed += 1;
    const key = JSON.stringify([from, to, rule]);
    const flow = this.#flows.get(key) ?? { from, to, rule, vehicles: 0 };
    flow.vehicles += 1;
    this.#flows.set(key, flow);
    return { kind: "change", vin: vehicle.vin, from, to, rule };
  }

  get totals(): { vehicles: number; changed: number; unplaced: number } {
    return { vehicles: this.vehicles, changed: this.changed, unplaced: this.unplaced };
  }

  get summary(): Extract<DryRunReport, { kind: "done" }> {
    const rules = [...this.#byRule].map(([rule, vehicles]) => ({ rule, vehicles }));
    return { kind: "done", ...this.totals, flows: [...this.#flows.values()].sort(compareFlows), rules };
  }
}

/** Runs rules over the real population, a page at a time. Nothing is written. */
export async function* dryRunRules(deps: Deps, rules: readonly PlacementRule[], withChanges: boolean): AsyncGenerator<DryRunReport> {
  const cells = await listCells(deps.database);
  const run = new DryRun(rules, cells.map(emptyCell), deps.clock());
  let after = "";
  for (;;) {
    const rows = await listVehicles(deps.database, {}, after, PAGE);
    const changes = rows.map((row) => run.place(row)).filter((change) => change !== null);
    if (withChanges) yield* changes;
    yield { kind: "progress", ...run.totals };
    if (rows.length < PAGE) break;
    after = rows.at(-1)?.vehicle.vin ?? after;
  }
  yield run.summary;
}
