import { AppError, type FieldError } from "#schema/api/error.ts";
import { RULE_CHANNELS, type RuleAction, type RuleSet } from "#schema/api/rules.ts";
import type { Logger } from "#schema/http/log.ts";
import { type CompiledRule, compileRule, hasFaults } from "./compile-rule.ts";
import type { Effect, RuleMessage } from "./evaluate-rule.ts";
import { canPerform, createEffectQueue, type EffectCounts } from "./perform-effects.ts";
import type { RulePorts, RuleSubject } from "./ports.ts";
import { type RuleCounts, type RunningRule, startRule } from "./running-rule.ts";
import { createTimeBudget } from "./time-budget.ts";

export type RuleEngineContext = {
  readonly ports: RulePorts;
  readonly logger: Logger;
  readonly maxVehicles: number;
  /** A stop watch, for the rules' time. */
  readonly elapsedMs?: () => number;
};

export type RuleReport = {
  readonly id: string;
  readonly counts: Readonly<RuleCounts>;
  readonly effects: Readonly<EffectCounts>;
  readonly lastFailure: string | null;
};

/** The rules at work on the flow of stored messages. Nothing that a rule does slows, stops or changes that flow. */
export type RuleEngine = {
  /** Replaces all rules at once; those that did not change keep what they remember. */
  replace(rules: readonly CompiledRule[]): void;
  /** Takes a message that is on disk. Never throws. */
  take(message: RuleMessage): void;
  /** Lets time pass for rules on absence. */
  tick(nowMs: number): void;
  /** The vehicle is not this cell's any more. */
  forget(vinKey: string): void;
  reports(): readonly RuleReport[];
  /** Whether a rule listens to the channel at all. */
  listensTo(channel: string): boolean;
  /** Whether the cell has a way to perform such actions. */
  canPerform(kind: RuleAction["kind"]): boolean;
  idle(): Promise<void>;
};

/** No rule may use more of this thread than this share of the time, nor may all of them together. */
const RULE_SHARE = 0.05;
const TOTAL_SHARE = 0.25;
const BURST_MS = 200;
const QUEUE = { concurrency: 64, capacity: 10_000 };

/** Checks a set as a whole; throws `validation_failed` with every fault of every rule. */
export const compileRules = (
  { rules }: RuleSet,
  isPossible: (kind: RuleAction["kind"]) => boolean = () => true,
): readonly CompiledRule[] => {
  const faults: FieldError[] = [];
  const compiled = rules.flatMap((rule, index) => {
    const pointer = `/rules/${index}`;
    if (rules.findIndex(({ id }) => id === rule.id) !== index)
      faults.push({ pointer: `${pointer}/id`, detail: "another rule has this id" });
    rule.actions.forEach(({ kind }, place) => {
      if (!isPossible(kind)) faults.push({ pointer: `${pointer}/actions/${place}/kind`, detail: `this cell cannot perform ${kind}` });
    });
    const result = compileRule(rule, pointer);
    if (!hasFaults(result)) return [result];
    faults.push(...result.faults);
    return [];
  });
  if (faults.length === 0) return compiled;
  throw new AppError("validation_failed", faults.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; "), { errors: faults });
};

export const createRuleEngine = (context: RuleEngineContext): RuleEngine => {
  const { ports, logger, elapsedMs = () => performance.now() } = context;
  const total = createTimeBudget(TOTAL_SHARE, BURST_MS);
  const effectCounts = new WeakMap<RunningRule, EffectCounts>();
  let running: readonly RunningRule[] = [];
  let byChannel = new Map<string, readonly RunningRule[]>();
  const queue = createEffectQueue(ports, {
    ...QUEUE,
    onFailure: ({ ruleId, subject, effect }, error) =>
      logger.warn("an effect of a rule failed", { rule: ruleId, action: effect.action.kind, vinKey: subject.vinKey, error }),
  });

  const start = (compiled: CompiledRule): RunningRule => {
    const fingerprint = JSON.stringify(compiled.rule);
    const known = running.find((rule) => rule.fingerprint === fingerprint);
    if (known !== undefined) return known;
    const budgets = [createTimeBudget(RULE_SHARE, BURST_MS), total];
    const rule = startRule(compiled, fingerprint, { vehicles: context.maxVehicles, budgets, elapsedMs });
    effectCounts.set(rule, { done: 0, failed: 0, dropped: 0 });
    return rule;
  };

  const perform = (rule: RunningRule, subject: RuleSubject, cause: string, at: number, effects: readonly Effect[]): void => {
    const counts = effectCounts.get(rule);
    if (counts === undefined) return;
    effects.forEach((effect, index) => {
      queue.add({ ruleId: rule.compiled.rule.id, subject, cause, at, effect }, index, counts);
    });
  };

  /** An error that gets here is a defect of the engine, not of the rule: it is logged, and the flow goes on all the same. */
  const note = (rule: RunningRule, error: unknown): void => logger.error("a rule could not be run", { rule: rule.compiled.rule.id, error });

  return {
    replace(rules) {
      running = rules.filter(({ rule }) => rule.isEnabled).map(start);
      byChannel = new Map(RULE_CHANNELS.map((channel) => [channel, running.filter(({ compiled }) => compiled.rule.on.includes(channel))]));
    },
    take(message) {
      for (const rule of byChannel.get(message.channel) ?? []) {
        try {
          const effects = rule.take(message);
          if (effects.length > 0) perform(rule, message, message.idOf(), message.receivedAt, effects);
        } catch (error) {
          note(rule, error);
        }
      }
    },
    tick(nowMs) {
      for (const rule of running) {
        try {
          for (const { vinKey, vin, effects } of rule.tick(nowMs)) perform(rule, { vin, vinKey }, `absence ${nowMs}`, nowMs, effects);
        } catch (error) {
          note(rule, error);
        }
      }
    },
    forget(vinKey) {
      for (const rule of running) rule.forget(vinKey);
    },
    reports: () =>
      running.map((rule) => ({
        id: rule.compiled.rule.id,
        counts: rule.counts,
        effects: effectCounts.get(rule) ?? { done: 0, failed: 0, dropped: 0 },
        lastFailure: rule.lastFailure(),
      })),
    listensTo: (channel) => (byChannel.get(channel)?.length ?? 0) > 0,
    canPerform: (kind) => canPerform(ports, kind),
    idle: () => queue.idle(),
  };
};
