import type { ASTNode } from "@marcbachmann/cel-js";

export type Literal = number | string | boolean;

export const literalOf = (node: ASTNode): Literal | null => {
  if (node.op === "-_") {
    const value = literalOf(node.args);
    return typeof value === "number" ? -value : null;
  }
  if (node.op !== "value") return null;
  if (typeof node.args === "bigint") return Number.isSafeInteger(Number(node.args)) ? Number(node.args) : null;
  return typeof node.args === "number" || typeof node.args === "string" || typeof node.args === "boolean" ? node.args : null;
};
