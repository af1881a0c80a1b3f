import type { ASTNode } from "@marcbachmann/cel-js";

export const MISSING: unique symbol = Symbol("missing");
/** Nothing that this shortcut reads: only the library can say what comes of it. */
export const OTHERWISE: unique symbol = Symbol("otherwise");

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `root.a.b` as its names; null for anything else, and for names that every object inherits. */
export const pathOf = (node: ASTNode, root: string): readonly string[] | null => {
  if (node.op === "id") return node.args === root ? [] : null;
  if (node.op !== "." || node.args[1] in Object.prototype) return null;
  const parent = pathOf(node.args[0], root);
  return parent === null ? null : [...parent, node.args[1]];
};

export type Read = (data: unknown) => unknown;

/** JSON has no undefined: a field that reads so is missing. */
const readField = (parent: unknown, name: string): unknown => (isMap(parent) ? (parent[name] ?? nullOr(parent, name)) : OTHERWISE);

const nullOr = (parent: Readonly<Record<string, unknown>>, name: string): unknown => (parent[name] === null ? null : MISSING);

const isNowhere = (value: unknown): boolean => value === MISSING || value === OTHERWISE;

/** Follows a path through maps; short ones, which most are, without a loop. */
export const reader = (path: readonly string[]): Read => {
  const [first, second, ...others] = path;
  if (first === undefined) return (data) => data;
  if (second === undefined) return (data) => readField(data, first);
  const readSecond: Read = (data) => {
    const parent = readField(data, first);
    return isNowhere(parent) ? parent : readField(parent, second);
  };
  if (others.length === 0) return readSecond;
  const readOthers = reader(others);
  return (data) => {
    const parent = readSecond(data);
    return isNowhere(parent) ? parent : readOthers(parent);
  };
};
