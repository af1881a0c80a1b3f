import { setImmediate } from "node:timers/promises";
import { AppError } from "#schema/api/error.ts";
import type { Rule, RuleDryRunAnswer } from "#schema/api/rules.ts";
import { compileRule, hasFaults } from "./compile-rule.ts";
import { evaluateAbsence, evaluateRule, type RuleMessage, type RuleState, type RuleStep } from "./evaluate-rule.ts";

const MAX_FIRED = 100;
const MAX_ERRORS = 10;

/** The cell has other work: a dry run takes the thread in slices, and ends when it has used up its time. */
const SLICE_MS = 5;
const TOTAL_MS = 2_000;

export type DryRunDependencies = { readonly elapsedMs: () => number; readonly pause: () => Promise<unknown> };

type Fired = Extract<RuleStep, { kind: "fired" }>;

/**
 * What a rule would have done with these messages of one vehicle, oldest first, if it had been there. Nothing is performed. Throws
 * `validation_failed` for a rule that does not hold; `messages` says how far it came.
 */
export const dryRunRule = async (
  rule: Rule,
  messages: Iterable<RuleMessage>,
  { elapsedMs, pause }: DryRunDependencies = { elapsedMs: () => performance.now(), pause: () => setImmediate() },
): Promise<RuleDryRunAnswer> => {
  const compiled = compileRule(rule, "/rule");
  if (hasFaults(compiled)) {
    const detail = compiled.faults.map((fault) => `${fault.pointer} ${fault.detail}`).join("; ");
    throw new AppError("validation_failed", detail, { errors: compiled.faults });
  }
  const answer: RuleDryRunAnswer = { messages: 0, matched: 0, failed: 0, fired: [], errors: [] };
  let state: RuleState | null = null;
  let [usedMs, sliceStartedAt] = [0, elapsedMs()];

  const noteFired = (step: Fired, at: number, messageId: string | null): void => {
    const actions = step.effects.map(({ action, values }) => ({ kind: action.kind, values }));
    if (answer.fired.length < MAX_FIRED) answer.fired.push({ at: new Date(at).toISOString(), messageId, actions });
  };

  for (const message of messages) {
    const sliceMs = elapsedMs() - sliceStartedAt;
    if (sliceMs >= SLICE_MS) {
      usedMs += sliceMs;
      if (usedMs >= TOTAL_MS) break;
      await pause();
      sliceStartedAt = elapsedMs();
    }
    answer.messages += 1;
    const absence = state === null ? null : evaluateAbsence(compiled, state, message.vinKey, message.receivedAt);
    if (absence?.kind === "fired") noteFired(absence, message.receivedAt, null);
    const step = evaluateRule(compiled, state, message);
    if (step.kind === "failed") {
      answer.failed += 1;
      if (answer.errors.length < MAX_ERRORS) answer.errors.push(step.reason);
    }
    if (step.kind !== "matched" && step.kind !== "fired") continue;
    answer.matched += 1;
    state = step.state;
    if (step.kind === "fired") noteFired(step, message.receivedAt, message.idOf());
  }
  return answer;
};
