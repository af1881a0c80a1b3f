import { TypeError as CelTypeError, EvaluationError, type ParseResult } from "@marcbachmann/cel-js";
import { environment, type Scope } from "./cel.ts";
import { compileFast, type FastCondition } from "./fast-path/conditions.ts";
import { runGuarded } from "./guard.ts";
import { type Weight, weigh } from "./weigh.ts";

export type Evaluation =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "fails"; readonly reason: string }
  | { readonly kind: "timeout" };

/** An expression that was checked: what it may cost is known before it runs. */
export type Expression = {
  readonly source: string;
  /** The type that the checker inferred; `dyn` when only a message can tell. */
  readonly type: string;
  /** A shortcut to the truth of a condition on `data`; null when there is none. */
  readonly fast: FastCondition | null;
  readonly usesMessage: boolean;
  run(scope: Scope, sizeBytes: number): Evaluation;
};
export type ExpressionFault = { readonly kind: "expression_fault"; readonly detail: string };

/** Evaluation steps, of some 50 ns, that an expression may take without a stop watch: 2.5 ms. */
const UNGUARDED_STEPS = 50_000;
const TIMEOUT_MS = 50;
/** JSON spends at least so many bytes on a value. */
const BYTES_PER_VALUE = 2;

const fault = (detail: string): ExpressionFault => ({ kind: "expression_fault", detail });

const firstLine = (error: unknown): string => (error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));

const isOfCel = (error: unknown): boolean => error instanceof EvaluationError || error instanceof CelTypeError;

/** Failing is an everyday outcome, a field is missing: it should not pay for a stack trace. */
const withoutStackTraces = <T>(job: () => T): T => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return job();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

const isLong = ({ nodes, exponent, hasPattern }: Weight, sizeBytes: number): boolean =>
  hasPattern || nodes * (1 + sizeBytes / BYTES_PER_VALUE) ** exponent > UNGUARDED_STEPS;

const usesMessage = (source: string): boolean => /\b(data|derived)\b/.test(source);

/** Parses, type-checks and weighs an expression. Never evaluates it. */
export const compileExpression = (source: string): Expression | ExpressionFault => {
  const parse = (): ParseResult => environment.parse(source);
  let program: ParseResult;
  try {
    program = parse();
  } catch (error) {
    return fault(firstLine(error));
  }
  const weight = weigh(program.ast);
  if ("kind" in weight) return fault(weight.detail);
  const fast = compileFast(program.ast);
  const checked = program.check();
  if (!checked.valid) return fault(firstLine(checked.error));

  const evaluate = (scope: Scope): Evaluation => {
    try {
      return { kind: "value", value: program(scope) };
    } catch (error) {
      if (isOfCel(error) || error instanceof RangeError) return { kind: "fails", reason: firstLine(error) };
      throw error;
    }
  };

  return {
    source,
    type: checked.type ?? "dyn",
    fast,
    usesMessage: usesMessage(source),
    run(scope, sizeBytes) {
      if (!isLong(weight, sizeBytes)) return withoutStackTraces(() => evaluate(scope));
      const guarded = withoutStackTraces(() => runGuarded(TIMEOUT_MS, () => evaluate(scope)));
      if (guarded.kind === "done") return guarded.value;
      // It was stopped in the middle of the library's own loops, which keep their place in the parsed tree.
      program = parse();
      program.check();
      return { kind: "timeout" };
    },
  };
};

export const isExpressionFault = (compiled: Expression | ExpressionFault): compiled is ExpressionFault => "kind" in compiled;
