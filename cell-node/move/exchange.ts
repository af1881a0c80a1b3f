import type { GuestsEntry } from "#schema/api/failover.ts";
import type { HeldEntry } from "#schema/api/moves.ts";
import type { CellReport, SyncAnswer, SyncRequest } from "#schema/api/sync.ts";
import type { Clock } from "../clock.ts";
import type { Holdings } from "./holdings.ts";
import type { OrderQueue } from "./order-queue.ts";
import type { Reports } from "./reports.ts";

/** The part of sync that is about moves. */
export type Exchange = {
  /** What goes into the next sync. */
  ask(): { readonly reports: CellReport[]; readonly ordersCursor: NonNullable<SyncRequest["ordersCursor"]> };
  /** The answer to a sync in which these reports were said. */
  hear(answer: SyncAnswer, said: readonly CellReport[]): void;
};

const MAX_REPORTS = 900;
const MAX_HELD = 100;
const ASK_HELD_MS = 2_000;
const ASK_AGAIN_MS = 10_000;

export const createExchange = ({
  holdings,
  queue,
  reports,
  clock,
  guestReports,
}: {
  readonly holdings: Holdings;
  readonly queue: OrderQueue;
  readonly reports: Reports;
  readonly clock: Clock;
  readonly guestReports: () => GuestsEntry[];
}): Exchange => {
  let ordersCursor = 0;
  let heldAskedAt = Number.NEGATIVE_INFINITY;
  let allAskedAt = Number.NEGATIVE_INFINITY;
  /** Where the turn of those that are held comes next: none is forgotten when they are many. */
  let turn = 0;

  const heldEntries = (nowMs: number): HeldEntry[] => {
    if (nowMs - heldAskedAt < ASK_HELD_MS) return [];
    heldAskedAt = nowMs;
    const held = holdings.held();
    if (turn >= held.length) turn = 0;
    const asked = held.slice(turn, turn + MAX_HELD);
    turn += asked.length;
    return asked.map(({ vehicle: { vin, vinKey }, mark: { moveId, step } }) => ({ kind: "held", vinKey, vin, moveId, step }));
  };

  return {
    ask() {
      const nowMs = clock.monotonicMs();
      const isBusy = queue.size > 0 || holdings.held().length > 0;
      const isAllAsked = isBusy && nowMs - allAskedAt >= ASK_AGAIN_MS;
      if (isAllAsked) allAskedAt = nowMs;
      queue.retry();
      return {
        reports: [...reports.pending(MAX_REPORTS), ...heldEntries(nowMs), ...guestReports()],
        ordersCursor: isAllAsked ? 0 : ordersCursor,
      };
    },
    hear(answer, said) {
      reports.taken(said);
      queue.take(answer.orders);
      ordersCursor = answer.ordersCursor;
    },
  };
};
