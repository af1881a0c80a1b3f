import type { Failover, FailoverAccount } from "#schema/api/failover.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Account, FailoverRecord } from "../store/failovers.ts";

export const toAccount = ({ cell, state }: Account): FailoverAccount => ({ cell, ...state });

/** A cell's failover as the API shows it. */
export const toFailover = (cell: CellId, { state, policy, changedAt }: FailoverRecord): Failover => ({
  cell,
  ...state,
  policy,
  changedAt: changedAt === null ? null : new Date(changedAt).toISOString(),
});
