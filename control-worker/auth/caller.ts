import type { CellId } from "#schema/domain/cell.ts";
import type { OperatorRole } from "#schema/domain/role.ts";

export type JoinedCaller = { readonly kind: "cell" | "pop"; readonly id: CellId };
/** Somebody, or a program, that runs the fleet. `scopes` empty: every resource. */
export type OperatorCaller = {
  readonly kind: "operator";
  readonly actor: string;
  readonly role: OperatorRole;
  readonly scopes: readonly string[];
};
export type Caller = { readonly kind: "anyone" } | OperatorCaller | JoinedCaller;

/** Who may call an operation: anyone, cells, POPs, or operators from a least role on. */
export type Access = readonly ("anyone" | "cell" | "pop" | OperatorRole)[];

/** How the audit names a caller. */
export const actorOf = (caller: Caller): string => {
  if (caller.kind === "operator") return caller.actor;
  return caller.kind === "anyone" ? "joiner" : `${caller.kind}:${caller.id}`;
};
