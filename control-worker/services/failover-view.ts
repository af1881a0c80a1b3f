import type { Failover, FailoverAccount } from "#schema/api/failover.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Account, FailoverRecord } from "../store/failovers.ts";

export const toAccount = ({ cell, state }: Account): FailoverAccount => ({ cell, ...state });

const toTime = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** A cell's failover as the API shows it. */
export const toFailover = (cell: CellId, { state, policy, changedAt, seizedAt }: FailoverRecord): Failover => ({
  cell,
  ...state,
  policy,
  changedAt: toTime(changedAt),
  seizedAt: toTime(seizedAt),
});
