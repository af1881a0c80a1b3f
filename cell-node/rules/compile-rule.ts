import type { FieldError } from "#schema/api/error.ts";
import type { Rule, RuleAction } from "#schema/api/rules.ts";
import { compileExpression, type Expression, isExpressionFault } from "./expression.ts";

type Named = readonly (readonly [string, Expression])[];

/** An action with its values ready to be worked out. */
export type CompiledAction = { readonly action: RuleAction; readonly values: Named };

export type CompiledRule = {
  readonly rule: Rule;
  readonly filter: Expression;
  readonly derive: Named;
  /** What a rate window watches. */
  readonly watched: Expression | null;
  readonly actions: readonly CompiledAction[];
};

export type RuleFaults = { readonly kind: "rule_faults"; readonly faults: readonly FieldError[] };

const NUMBERS = ["double", "int", "uint", "dyn"];

const valuesOf = (action: RuleAction): readonly [field: string, Readonly<Record<string, string>>] => {
  if (action.kind === "twin") return ["desired", action.desired];
  return action.kind === "command" ? ["arguments", action.arguments] : ["data", action.data];
};

/** Parses, type-checks and weighs every expression of a rule; all faults at once, each with the pointer of its field. */
export const compileRule = (rule: Rule, pointer = ""): CompiledRule | RuleFaults => {
  const faults: FieldError[] = [];
  const note = (path: string, detail: string) => faults.push({ pointer: `${pointer}/${path}`, detail });

  const compile = (source: string, path: string, types: readonly string[] | null = null): Expression | null => {
    const compiled = compileExpression(source);
    if (isExpressionFault(compiled)) {
      note(path, compiled.detail);
      return null;
    }
    if (types !== null && !types.includes(compiled.type)) note(path, `must be ${types[0]}, is ${compiled.type}`);
    return compiled;
  };
  const compileAll = (values: Readonly<Record<string, string>>, path: string): [string, Expression][] =>
    Object.entries(values).flatMap(([name, source]) => {
      const compiled = compile(source, `${path}/${name}`);
      return compiled === null ? [] : [[name, compiled]];
    });

  const filter = compile(rule.filter, "filter", ["bool", "dyn"]);
  const derive = compileAll(rule.derive, "derive");
  const watched = rule.window?.kind === "rate" ? compile(rule.window.value, "window/value", NUMBERS) : null;
  const actions = rule.actions.map((action, index) => {
    const [field, values] = valuesOf(action);
    return { action, values: compileAll(values, `actions/${index}/${field}`) };
  });
  if (rule.window?.kind === "absence" && actions.some(({ values }) => values.some(([, { usesMessage }]) => usesMessage))) {
    note("actions", "a rule on absence acts when there is no message: its values may not read data or derived");
  }
  if (filter === null || faults.length > 0) return { kind: "rule_faults", faults };
  return { rule, filter, derive, watched, actions };
};

export const hasFaults = (compiled: CompiledRule | RuleFaults): compiled is RuleFaults => "kind" in compiled;
