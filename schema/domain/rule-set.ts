import { isAmong, type PlacementRule } from "./rules.ts";
import type { VinKey } from "./vin-key.ts";

export const RULE_SET_STATES = ["draft", "canary", "active", "retired"] as const;
export type RuleSetState = (typeof RULE_SET_STATES)[number];

export const RULE_SET_EVENTS = ["canary", "activate", "withdraw", "replace"] as const;
export type RuleSetEvent = (typeof RULE_SET_EVENTS)[number];

/** draft -> canary -> active -> retired; a canary is withdrawn to a draft, a retired set may come back. */
const TRANSITIONS: Readonly<Record<RuleSetState, Partial<Record<RuleSetEvent, RuleSetState>>>> = {
  draft: { canary: "canary", activate: "active" },
  canary: { canary: "canary", activate: "active", withdraw: "draft" },
  active: { replace: "retired" },
  retired: { activate: "active" },
};

/** The state after an event, or null when the table does not allow it. */
export const advanceRuleSet = (state: RuleSetState, event: RuleSetEvent): RuleSetState | null => TRANSITIONS[state][event] ?? null;

export type RuleSetInUse = { readonly version: number; readonly rules: readonly PlacementRule[] };
/** The rule sets that placements go by: at most one for all, and one that is tried on a share of the vehicles. */
export type RulesInUse = { readonly active: RuleSetInUse | null; readonly canary: (RuleSetInUse & { readonly percent: number }) | null };

export const NO_RULES: RulesInUse = { active: null, canary: null };

/** The rule set for a vehicle: always the same one while neither changes. */
export const ruleSetFor = ({ active, canary }: RulesInUse, vinKey: VinKey): RuleSetInUse | null =>
  canary !== null && isAmong(canary.percent, `canary-${canary.version}`, vinKey) ? canary : active;

/** How answers name the rule that chose a cell. */
export const ruleName = (set: RuleSetInUse | null, rule: string | null): string | null =>
  set === null || rule === null ? null : `${set.version}/${rule}`;
