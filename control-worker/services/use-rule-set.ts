import { AppError } from "#schema/api/error.ts";
import type { PlacementRuleSet } from "#schema/api/rule-sets.ts";
import { FAULTS, reviewRules } from "#schema/domain/rule-review.ts";
import { advanceRuleSet, type RuleSetEvent } from "#schema/domain/rule-set.ts";
import type { Deps } from "../deps.ts";
import { listCells } from "../store/cells.ts";
import { findInUse, type RuleSetRow, type RuleSetSummary, setActivation, updateRuleSet } from "../store/rule-sets.ts";
import type { Statement } from "../store/statement.ts";
import { commit, type Plan } from "./commit.ts";
import { readRuleSet, requireRuleSet } from "./read-rule-set.ts";

const advance = ({ version, state }: RuleSetSummary, event: RuleSetEvent) => {
  const next = advanceRuleSet(state, event);
  if (next === null) throw new AppError("conflict", `rule set ${version} is ${state}`);
  return next;
};

const checkFaults = async (deps: Deps, { rules }: RuleSetRow): Promise<void> => {
  const faults = reviewRules(rules, await listCells(deps.database)).filter(({ kind }) => FAULTS.includes(kind));
  if (faults.length === 0) return;
  throw new AppError(
    "conflict",
    `the rules have faults: ${faults.map(({ rule, detail }) => `${rule}: ${detail}`).join("; ")}`.slice(0, 1_000),
  );
};

const stateOf = ({ state, canaryPercent }: RuleSetSummary) => ({ state, canaryPercent });
type Change = Partial<Pick<RuleSetRow, "state" | "canaryPercent" | "activatedAt">>;

/** One set's change, as statements and for the audit. */
export const changeOf = (known: RuleSetSummary, changes: Change): Required<Pick<Plan, "statements" | "changes">> => ({
  statements: updateRuleSet(known, changes),
  changes: [{ target: `rule-set/${known.version}`, before: stateOf(known), after: stateOf({ ...known, ...changes }) }],
});

const merge = (plans: readonly Plan[], ...more: readonly Statement[]): Plan => ({
  statements: [...plans.flatMap(({ statements }) => statements), ...more],
  changes: plans.flatMap(({ changes = [] }) => changes),
});

/** Tries a set on a share of the vehicles that are placed; asked again it changes the share. Another canary goes back to a draft. */
export const startCanary = async (deps: Deps, version: number, percent: number): Promise<PlacementRuleSet> => {
  await commit(deps.ledger, async () => {
    const row = await requireRuleSet(deps, version);
    const state = advance(row, "canary");
    await checkFaults(deps, row);
    const other = (await findInUse(deps.database)).find((set) => set.state === "canary" && set.version !== version);
    const withdrawn = other === undefined ? [] : [changeOf(other, { state: advance(other, "withdraw"), canaryPercent: null })];
    return merge([...withdrawn, changeOf(row, { state, canaryPercent: percent })]);
  });
  return readRuleSet(deps, version);
};

/** Makes a set the one that placements go by; the one before is kept for a roll-back. No vehicle that has a cell moves. */
export const activateRuleSet = async (deps: Deps, version: number): Promise<PlacementRuleSet> => {
  await commit(deps.ledger, async () => {
    const row = await requireRuleSet(deps, version);
    if (row.state === "active") return [];
    const state = advance(row, "activate");
    await checkFaults(deps, row);
    const active = (await findInUse(deps.database)).find((set) => set.state === "active");
    const replaced = active === undefined ? [] : [changeOf(active, { state: advance(active, "replace") })];
    const changes = changeOf(row, { state, canaryPercent: null, activatedAt: deps.clock() });
    return merge([...replaced, changes], setActivation(version));
  });
  deps.logger.info("rule set activated", { version });
  return readRuleSet(deps, version);
};
