import type { CompiledRule } from "./compile-rule.ts";
import { type Effect, evaluateAbsence, evaluateRule, type RuleMessage, type RuleState, type RuleStep } from "./evaluate-rule.ts";
import type { Truth } from "./fast-path/conditions.ts";
import type { TimeBudget } from "./time-budget.ts";

/** What became of the messages that a rule saw. `throttled`: the rule had used up its time; `suspended`: it took too long before. */
export const RULE_OUTCOMES = ["passed_by", "matched", "quiet", "fired", "failed", "timeout", "throttled", "suspended"] as const;
export type RuleOutcome = (typeof RULE_OUTCOMES)[number];
export type RuleCounts = Record<RuleOutcome, number>;

/** A rule at work: its memory of each vehicle, its counts, and the limits that keep it from holding up the flow. */
export type RunningRule = {
  readonly compiled: CompiledRule;
  /** The definition's text: an unchanged rule keeps running when the set is replaced. */
  readonly fingerprint: string;
  readonly counts: RuleCounts;
  readonly lastFailure: () => string | null;
  take(message: RuleMessage): readonly Effect[];
  /** What is due because time passed, by vehicle. */
  tick(nowMs: number): readonly { readonly vinKey: string; readonly vin: string; readonly effects: readonly Effect[] }[];
  forget(vinKey: string): void;
};

export type RunningLimits = {
  /** Vehicles that a rule remembers; the one not heard of for longest goes first. */
  readonly vehicles: number;
  readonly budgets: readonly TimeBudget[];
  readonly elapsedMs: () => number;
};

const NONE: readonly Effect[] = [];
const SUSPEND_AFTER_TIMEOUTS = 3;
const SUSPEND_MS = 60_000;
const MAX_SUSPEND_MS = 3_600_000;

export const startRule = (compiled: CompiledRule, fingerprint: string, limits: RunningLimits): RunningRule => {
  const { filter, rule } = compiled;
  const states = new Map<string, RuleState>();
  const counts = Object.fromEntries(RULE_OUTCOMES.map((outcome) => [outcome, 0])) as RuleCounts;
  const fastFailure = `${filter.source}: a field is missing or of another type`;
  let lastFailure: string | null = null;
  let timeouts = 0;
  let suspendMs = SUSPEND_MS;
  let suspendedUntil = 0;

  const remember = (vinKey: string, state: RuleState | null): void => {
    states.delete(vinKey);
    if (state === null) return;
    states.set(vinKey, state);
    if (states.size <= limits.vehicles) return;
    const [oldest] = states.keys();
    if (oldest !== undefined) states.delete(oldest);
  };

  const noteTimeout = (nowMs: number): void => {
    timeouts += 1;
    if (timeouts < SUSPEND_AFTER_TIMEOUTS) return;
    suspendedUntil = nowMs + suspendMs;
    suspendMs = Math.min(suspendMs * 2, MAX_SUSPEND_MS);
    timeouts = 0;
  };

  const settle = (step: RuleStep, vinKey: string, nowMs: number): readonly Effect[] => {
    switch (step.kind) {
      case "passed_by":
        counts.passed_by += 1;
        return NONE;
      case "failed":
        counts[step.isTimeout ? "timeout" : "failed"] += 1;
        lastFailure = step.reason;
        if (step.isTimeout) noteTimeout(nowMs);
        return NONE;
      case "matched":
        counts[step.isQuiet ? "quiet" : "matched"] += 1;
        remember(vinKey, step.state);
        return NONE;
      case "fired":
        counts.fired += 1;
        remember(vinKey, step.state);
        return step.effects;
    }
  };

  /** The filter's shortcut needs no watch: most messages end here. */
  const passBy = (truth: Truth): boolean => {
    if (truth === "false") counts.passed_by += 1;
    else if (truth === "fails") {
      counts.failed += 1;
      lastFailure = fastFailure;
    } else return false;
    return true;
  };

  return {
    ...{ compiled, fingerprint, counts },
    lastFailure: () => lastFailure,
    take(message) {
      if (filter.fast !== null && passBy(filter.fast(message.data))) return NONE;
      const { receivedAt: nowMs, vinKey } = message;
      if (nowMs < suspendedUntil) {
        counts.suspended += 1;
        return NONE;
      }
      if (!limits.budgets.every((budget) => budget.mayRun(nowMs))) {
        counts.throttled += 1;
        return NONE;
      }
      const startedAt = limits.elapsedMs();
      const step = evaluateRule(compiled, states.get(vinKey) ?? null, message);
      const spentMs = limits.elapsedMs() - startedAt;
      for (const budget of limits.budgets) budget.charge(spentMs);
      return settle(step, vinKey, nowMs);
    },
    tick(nowMs) {
      if (rule.window?.kind !== "absence") return [];
      const due = [];
      // The first of the map was heard of least recently: behind the first that is not due, none is.
      for (const [vinKey, state] of states) {
        const step = evaluateAbsence(compiled, state, vinKey, nowMs);
        if (step === null) break;
        states.delete(vinKey);
        due.push({ vinKey, vin: state.vin, effects: settle(step, vinKey, nowMs) });
      }
      return due;
    },
    forget: (vinKey) => void states.delete(vinKey),
  };
};
