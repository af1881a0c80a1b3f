import type { RuleAction } from "#schema/api/rules.ts";
import type { Scope } from "./cel.ts";
import type { CompiledAction, CompiledRule } from "./compile-rule.ts";
import type { Evaluation, Expression } from "./expression.ts";
import { toJson } from "./to-json.ts";
import { takeIntoWindow, type WindowState } from "./window.ts";

/** A stored message as rules see it. `sizeBytes` is that of its JSON text. */
export type RuleMessage = {
  readonly data: unknown;
  readonly channel: string;
  readonly vin: string;
  readonly vinKey: string;
  /** What makes the message one: its effects carry it on, so that a message that comes twice has the same effects twice. */
  readonly idOf: () => string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly sizeBytes: number;
};

/** What a rule remembers of one vehicle. */
export type RuleState = { readonly window: WindowState | null; readonly quietUntil: number; readonly vin: string };

/** An action with its values worked out. */
export type Effect = { readonly action: RuleAction; readonly values: Readonly<Record<string, unknown>> };

export type RuleStep =
  | { readonly kind: "passed_by" }
  | { readonly kind: "failed"; readonly reason: string; readonly isTimeout: boolean }
  /** `isQuiet`: it would have acted, but did so a moment ago. */
  | { readonly kind: "matched"; readonly state: RuleState | null; readonly isQuiet: boolean }
  | { readonly kind: "fired"; readonly state: RuleState | null; readonly effects: readonly Effect[] };

type Failure = Extract<RuleStep, { kind: "failed" }>;

const failed = (reason: string, isTimeout = false): Failure => ({ kind: "failed", reason, isTimeout });

const failureOf = (expression: Expression, evaluation: Exclude<Evaluation, { kind: "value" }>): Failure =>
  evaluation.kind === "timeout"
    ? failed(`${expression.source}: took too long`, true)
    : failed(`${expression.source}: ${evaluation.reason}`);

type Values = Readonly<Record<string, unknown>>;

const work = (
  named: readonly (readonly [string, Expression])[],
  run: (expression: Expression, soFar: Values) => Evaluation,
): { values: Values } | Failure => {
  const values: Record<string, unknown> = {};
  for (const [name, expression] of named) {
    const evaluation = run(expression, values);
    if (evaluation.kind !== "value") return failureOf(expression, evaluation);
    values[name] = evaluation.value;
  }
  return { values };
};

const effectOf = ({ action, values }: CompiledAction, scope: Scope, sizeBytes: number): Effect | Failure => {
  const worked = work(values, (expression) => expression.run(scope, sizeBytes));
  if ("kind" in worked) return worked;
  const json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(worked.values)) {
    const converted = toJson(value);
    if (converted === undefined) return failed(`${name}: too large, or nothing that JSON has`);
    json[name] = converted;
  }
  return { action, values: json };
};

const effectsOf = (compiled: CompiledRule, scope: Scope, sizeBytes: number): readonly Effect[] | Failure => {
  const effects: Effect[] = [];
  for (const action of compiled.actions) {
    const effect = effectOf(action, scope, sizeBytes);
    if ("kind" in effect) return effect;
    effects.push(effect);
  }
  return effects;
};

const scopeOf = ({ data, channel, vin, vinKey, receivedAt }: RuleMessage, derived: Values): Scope => ({
  ...{ data, channel, vin, vinKey, derived },
  receivedAt: new Date(receivedAt),
});

const passes = ({ filter }: CompiledRule, message: RuleMessage): boolean | Failure => {
  const truth = filter.fast?.(message.data) ?? "unsure";
  if (truth === "true" || truth === "false") return truth === "true";
  if (truth === "fails") return failed(`${filter.source}: a field is missing or of another type`);
  const evaluation = filter.run(scopeOf(message, {}), message.sizeBytes);
  if (evaluation.kind !== "value") return failureOf(filter, evaluation);
  return typeof evaluation.value === "boolean" ? evaluation.value : failed(`${filter.source}: is not a bool`);
};

const watchedNumber = ({ watched }: CompiledRule, scope: Scope, sizeBytes: number): number | Failure => {
  if (watched === null) return 0;
  const evaluation = watched.run(scope, sizeBytes);
  if (evaluation.kind !== "value") return failureOf(watched, evaluation);
  const value = Number(evaluation.value);
  return Number.isFinite(value) ? value : failed(`${watched.source}: is not a number`);
};

const NO_VALUES: { values: Values } = { values: {} };

/** What a rule does with a message: a pure function of what it remembers of the vehicle and of the message, whose time is its now. */
export const evaluateRule = (compiled: CompiledRule, before: RuleState | null, message: RuleMessage): RuleStep => {
  const { rule, derive } = compiled;
  const isMatch = passes(compiled, message);
  if (typeof isMatch !== "boolean") return isMatch;
  if (!isMatch) return { kind: "passed_by" };
  const { receivedAt: now, sizeBytes, vin } = message;
  const derived = derive.length === 0 ? NO_VALUES : work(derive, (expression, soFar) => expression.run(scopeOf(message, soFar), sizeBytes));
  if ("kind" in derived) return derived;
  const scope = scopeOf(message, derived.values);
  const value = watchedNumber(compiled, scope, sizeBytes);
  if (typeof value !== "number") return value;
  const step = rule.window === null ? null : takeIntoWindow(rule.window, before?.window ?? null, now, value);
  const quietUntil = before?.quietUntil ?? 0;
  const isRemembered = rule.window !== null || rule.quietSeconds > 0;
  const state = isRemembered ? { window: step?.state ?? null, quietUntil, vin } : null;
  if (step?.isOpen === false) return { kind: "matched", state, isQuiet: false };
  if (now < quietUntil) return { kind: "matched", state, isQuiet: true };
  const effects = effectsOf(compiled, scope, sizeBytes);
  if ("kind" in effects) return effects;
  return { kind: "fired", state: state && { ...state, quietUntil: now + rule.quietSeconds * 1000 }, effects };
};

/** What a rule on absence does when time passes: it acts once, and again only after another message. Null when there is nothing to do. */
export const evaluateAbsence = (compiled: CompiledRule, before: RuleState, vinKey: string, now: number): RuleStep | null => {
  const { window } = compiled.rule;
  if (window?.kind !== "absence" || before.window?.kind !== "absence") return null;
  const { lastAt } = before.window;
  if (now - lastAt < window.seconds * 1000) return null;
  const scope = scopeOf({ data: {}, channel: "", vin: before.vin, vinKey, idOf: () => "", receivedAt: lastAt, sizeBytes: 0 }, {});
  const effects = effectsOf(compiled, scope, 0);
  return "kind" in effects ? effects : { kind: "fired", state: null, effects };
};
