import type { ASTNode } from "@marcbachmann/cel-js";

/**
 * What a condition on a message comes to. `fails`: the expression has no value, as when a field is missing. `unsure`: only the library
 * can say.
 */
export type Truth = "true" | "false" | "fails" | "unsure";
export type FastCondition = (data: unknown) => Truth;

const MISSING = Symbol("missing");
const NO_MAP = Symbol("no map");

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `root.a.b` as its names; null for anything else, and for names that every object inherits. */
const pathOf = (node: ASTNode, root: string): readonly string[] | null => {
  if (node.op === "id") return node.args === root ? [] : null;
  if (node.op !== "." || node.args[1] in Object.prototype) return null;
  const parent = pathOf(node.args[0], root);
  return parent === null ? null : [...parent, node.args[1]];
};

type Read = (data: unknown) => unknown;
/** A form of expression over `root`, or null when the node is none of it. */
type Compile = (node: ASTNode, root: string) => FastCondition | null;

/** JSON has no undefined: a field that reads so is missing. */
const readField = (parent: unknown, name: string): unknown => (isMap(parent) ? (parent[name] ?? nullOr(parent, name)) : NO_MAP);

const nullOr = (parent: Readonly<Record<string, unknown>>, name: string): unknown => (parent[name] === null ? null : MISSING);

/** Follows a path through maps. */
const reader = (path: readonly string[]): Read => {
  const [first, second] = path;
  if (first === undefined) return (data) => data;
  if (second === undefined) return (data) => readField(data, first);
  return (data) => {
    let value = data;
    for (const name of path) {
      value = readField(value, name);
      if (value === MISSING || value === NO_MAP) return value;
    }
    return value;
  };
};

type Literal = number | string | boolean;

const literalOf = (node: ASTNode): Literal | null => {
  if (node.op === "-_") {
    const value = literalOf(node.args);
    return typeof value === "number" ? -value : null;
  }
  if (node.op !== "value") return null;
  if (typeof node.args === "bigint") return Number.isSafeInteger(Number(node.args)) ? Number(node.args) : null;
  return typeof node.args === "number" || typeof node.args === "string" || typeof node.args === "boolean" ? node.args : null;
};

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
      return value === NO_MAP ? "unsure" : "fails";
    };
  }
  const isEqual = op === "==";
  return (data) => {
    const value = read(data);
    if (value === NO_MAP) return "unsure";
    return value === MISSING ? "fails" : truth((value === literal) === isEqual);
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
  return null;
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
 * Compiles the conditions that most rules consist of - comparisons of one field with a written value, `has()`, `exists()` and `all()`,
 * joined by `&&`, `||` and `!` - to plain functions, many times as fast as the library's evaluation; null for every other expression.
 */
export const compileFast = (node: ASTNode): FastCondition | null => compile(node, "data");
