import type { ASTNode } from "@marcbachmann/cel-js";
import { MISSING, OTHERWISE, pathOf, reader } from "./paths.ts";

export type ReadNumber = (data: unknown) => number | typeof MISSING | typeof OTHERWISE;

type Operator = (left: number, right: number) => number;
const OPERATORS: Readonly<Record<string, Operator>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
};

/** Arithmetic on doubles, which all numbers of a message are. CEL does not mix them with ints, and so an int here is the library's. */
export const numberOf = (node: ASTNode, root: string): ReadNumber | null => {
  const operator = OPERATORS[node.op];
  if (operator !== undefined && Array.isArray(node.args)) {
    const [first, second] = node.args as readonly [ASTNode, ASTNode];
    const [left, right] = [numberOf(first, root), numberOf(second, root)];
    if (left === null || right === null) return null;
    return (data) => {
      const [a, b] = [left(data), right(data)];
      if (typeof a === "number" && typeof b === "number") return operator(a, b);
      return a === OTHERWISE || b === OTHERWISE ? OTHERWISE : MISSING;
    };
  }
  if (node.op === "value" && typeof node.args === "number") {
    const { args: value } = node;
    return () => value;
  }
  const path = pathOf(node, root);
  if (path === null) return null;
  const read = reader(path);
  return (data) => {
    const value = read(data);
    return typeof value === "number" || value === MISSING ? value : OTHERWISE;
  };
};
