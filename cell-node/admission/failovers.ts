import * as z from "zod";
import { FailoverAccount } from "#schema/api/failover.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type FailoverState, laterFailover, NEVER_FAILED_OVER } from "#schema/domain/failover.ts";
import type { World } from "./world.ts";

/** Who serves whose vehicles, as control last told: of this cell, and of those whose standby it is. */
export type Failovers = {
  of(cell: CellId): FailoverState;
  /** What is known after these accounts, as JSON: it has to be on disk before anyone acts on it. */
  textAfter(accounts: readonly FailoverAccount[]): string;
  take(accounts: readonly FailoverAccount[]): void;
};

const Accounts = z.array(FailoverAccount);

/** `stored` is what `textAfter` gave last. The topology may know of a failover before the account has come: the later of the two holds. */
export const createFailovers = (self: CellId, stored: string | undefined, world: () => World): Failovers => {
  const merge = (known: ReadonlyMap<CellId, FailoverState>, accounts: readonly FailoverAccount[]): Map<CellId, FailoverState> => {
    const next = new Map(known);
    for (const { cell, ...state } of accounts) next.set(cell, laterFailover(next.get(cell) ?? NEVER_FAILED_OVER, state));
    return next;
  };
  let known = merge(new Map(), Accounts.parse(JSON.parse(stored ?? "[]")));

  return {
    of(cell) {
      const told = known.get(cell) ?? NEVER_FAILED_OVER;
      const term = world().failoverTermOf(cell);
      return term === undefined ? told : laterFailover(told, { phase: "failed_over", term, standby: self });
    },
    textAfter: (accounts) => JSON.stringify([...merge(known, accounts)].map(([cell, state]) => ({ cell, ...state }))),
    take(accounts) {
      known = merge(known, accounts);
    },
  };
};
