import type { ASTNode } from "@marcbachmann/cel-js";
import { FUNCTIONS } from "./cel.ts";

/** What an expression may cost: `nodes` times the size of the message to the power of `exponent`. */
export type Weight = { readonly nodes: number; readonly exponent: number; readonly hasPattern: boolean };
export type WeightFault = { readonly kind: "too_heavy" | "not_allowed"; readonly detail: string };

const MAX_LOOPS_WITHIN_LOOPS = 2;
const MAX_LITERAL_LENGTH = 128;

const isNode = (value: unknown): value is ASTNode => typeof value === "object" && value !== null && "op" in value && "args" in value;

/** The nodes directly below, however the operator keeps them. */
const childrenOf = (node: ASTNode): ASTNode[] => {
  const args: unknown = node.args;
  if (isNode(args)) return [args];
  return Array.isArray(args) ? args.flat(2).filter(isNode) : [];
};

const isScalar = ({ op }: ASTNode): boolean => op === "value";

/** Comparing with a written value is cheap; comparing two values of the message walks through both. */
const isDeepComparison = (node: ASTNode): boolean =>
  (node.op === "==" || node.op === "!=" || node.op === "in") && !childrenOf(node).some(isScalar);

type Call = { readonly name: string; readonly texts: readonly ASTNode[] };

const callOf = (node: ASTNode): Call | null => {
  if (node.op === "call") return { name: node.args[0], texts: node.args[1] };
  return node.op === "rcall" ? { name: node.args[0], texts: node.args[2] } : null;
};

const isShortLiteral = (node: ASTNode | undefined): boolean =>
  node?.op === "value" && typeof node.args === "string" && node.args.length <= MAX_LITERAL_LENGTH;

const faultOf = ({ name, texts }: Call): WeightFault | null => {
  const use = FUNCTIONS[name];
  if (use === undefined) return { kind: "not_allowed", detail: `${name}() is not available to rules` };
  if (use !== "literal" || isShortLiteral(texts[0])) return null;
  return { kind: "not_allowed", detail: `${name}() takes a text of at most ${MAX_LITERAL_LENGTH} characters that is written in the rule` };
};

const isFault = (weight: Weight | WeightFault): weight is WeightFault => "kind" in weight;

/** Adds up an expression's worst case from its tree alone. */
export const weigh = (node: ASTNode): Weight | WeightFault => {
  const call = callOf(node);
  const fault = call === null ? null : faultOf(call);
  if (fault !== null) return fault;
  let [nodes, deepest, hasPattern] = [1, 0, call?.name === "matches"];
  for (const child of childrenOf(node)) {
    const weight = weigh(child);
    if (isFault(weight)) return weight;
    nodes += weight.nodes;
    deepest = Math.max(deepest, weight.exponent);
    hasPattern ||= weight.hasPattern;
  }
  const isLoop = call !== null && FUNCTIONS[call.name] === "loop";
  const exponent = deepest + (isLoop || isDeepComparison(node) ? 1 : 0);
  if (exponent > MAX_LOOPS_WITHIN_LOOPS) {
    return { kind: "too_heavy", detail: `loops and comparisons of whole values may stand ${MAX_LOOPS_WITHIN_LOOPS} deep` };
  }
  return { nodes, exponent, hasPattern };
};
