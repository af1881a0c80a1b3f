import type { ASTNode } from "@marcbachmann/cel-js";
import { type Literal, literalOf } from "./literals.ts";
import { numberOf, type ReadNumber } from "./numbers.ts";
import { isMap, MISSING, OTHERWISE, pathOf, type Read, reader } from "./paths.ts";

/**
 * What a condition on a message comes to. `fails`: the expression has no value, as when a field is missing. `unsure`: only the library
 * can say.
 */
export type Truth = "true" | "false" | "fails" | "unsure";
export type FastCondition = (data: unknown) => Truth;

/** A form of expression over `root`, or null when the node is none of it. */
type Compile = (node: ASTNode, root: string) => FastCondition | null;

const truth = (holds: boolean): Truth => (holds ? "true" : "false");

type Order = (value: number, literal: number) => boolean;
const ORDERS: Readonly<Record<string, Order>> = {
  "<": (value, literal) => value < literal,
  "<=": (value, literal) => value <= literal,
  ">": (value, literal) => value > literal,
  ">=": (value, literal) => value >= literal,
};
const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" };

const compare = (op: string, read: Read, literal: Literal): FastCondition | null => {
  const order = ORDERS[op];
  if (order !== undefined) {
    if (typeof literal !== "number") return null;
    return (data) => {
      const value = read(data);
      if (typeof value === "number") return truth(order(value, literal));
      return value === OTHERWISE ? "unsure" : "fails";
    };
  }
  const isEqual = op === "==";
  return (data) => {
    const value = read(data);
    if (value === OTHERWISE) return "unsure";
    return value === MISSING ? "fails" : truth((value === literal) === isEqual);
  };
};

const compareNumbers = (order: Order | undefined, left: ReadNumber | null, right: ReadNumber | null): FastCondition | null => {
  if (order === undefined || left === null || right === null) return null;
  return (data) => {
    const [a, b] = [left(data), right(data)];
    if (typeof a === "number" && typeof b === "number") return truth(order(a, b));
    return a === OTHERWISE || b === OTHERWISE ? "unsure" : "fails";
  };
};

const comparison: Compile = (node, root) => {
  if (!(node.op in MIRRORED) || !Array.isArray(node.args)) return null;
  const [left, right] = node.args as readonly [ASTNode, ASTNode];
  for (const [side, other, op] of [
    [left, right, node.op],
    [right, left, MIRRORED[node.op] ?? node.op],
  ] as const) {
    const [path, literal] = [pathOf(side, root), literalOf(other)];
    if (path !== null && literal !== null) return compare(op, reader(path), literal);
  }
  return compareNumbers(ORDERS[node.op], numberOf(left, root), numberOf(right, root));
};

const presence: Compile = (node, root) => {
  if (node.op !== "call" || node.args[0] !== "has") return null;
  const path = node.args[1][0] === undefined ? null : pathOf(node.args[1][0], root);
  const name = path?.at(-1);
  if (path === null || name === undefined) return null;
  const readParent = reader(path.slice(0, -1));
  return (data) => {
    const parent = readParent(data);
    if (parent === MISSING) return "fails";
    return isMap(parent) ? truth(parent[name] !== undefined) : "unsure";
  };
};

/** `&&` and `||`: `deciding` from either side wins over a failure of the other (CEL, "Logical operators"). */
const connect =
  (left: FastCondition, right: FastCondition, deciding: "true" | "false"): FastCondition =>
  (data) => {
    const first = left(data);
    if (first === deciding) return deciding;
    const second = right(data);
    if (second === deciding) return deciding;
    if (first === "unsure" || second === "unsure") return "unsure";
    return first === "fails" ? "fails" : second;
  };

const connection: Compile = (node, root) => {
  if (node.op !== "&&" && node.op !== "||") return null;
  const [left, right] = [compile(node.args[0], root), compile(node.args[1], root)];
  return left === null || right === null ? null : connect(left, right, node.op === "&&" ? "false" : "true");
};

const NEGATED: Readonly<Record<Truth, Truth>> = { true: "false", false: "true", fails: "fails", unsure: "unsure" };

const negation: Compile = (node, root) => {
  const inner = node.op === "!_" ? compile(node.args, root) : null;
  return inner && ((data) => NEGATED[inner(data)]);
};

/** Longer lists go to the library, which runs within a budget. */
const MAX_ITEMS = 1_000;

/** `list.exists(x, …)` and `list.all(x, …)`, the condition on `x` alone: `||` and `&&` over the items. */
const quantifier: Compile = (node, root) => {
  if (node.op !== "rcall" || (node.args[0] !== "exists" && node.args[0] !== "all")) return null;
  const [variable, body] = node.args[2];
  const path = pathOf(node.args[1], root);
  if (path === null || variable?.op !== "id" || body === undefined) return null;
  const condition = compile(body, variable.args);
  if (condition === null) return null;
  const deciding = node.args[0] === "exists" ? "true" : "false";
  const read = reader(path);
  return (data) => {
    const items = read(data);
    if (items === MISSING) return "fails";
    if (!Array.isArray(items) || items.length > MAX_ITEMS) return "unsure";
    let worst: Truth = NEGATED[deciding];
    for (const item of items) {
      const said = condition(item);
      if (said === deciding) return deciding;
      if (said === "unsure" || (said === "fails" && worst !== "unsure")) worst = said;
    }
    return worst;
  };
};

const constant: Compile = (node) => (node.op === "value" && typeof node.args === "boolean" ? () => truth(node.args === true) : null);

const FORMS: readonly Compile[] = [connection, negation, comparison, presence, quantifier, constant];

const compile: Compile = (node, root) => {
  for (const form of FORMS) {
    const condition = form(node, root);
    if (condition !== null) return condition;
  }
  return null;
};

/**
 * Compiles the conditions that most rules consist of - comparisons of fields with written values, arithmetic on numbers, `has()`,
 * `exists()` and `all()`, joined by `&&`, `||` and `!` - to plain functions, many times as fast as the library's evaluation; null for every other expression.
 */
export const compileFast = (node: ASTNode): FastCondition | null => compile(node, "data");
