import type { Standing } from "#schema/domain/standing.ts";

/** Whether the vehicle table may be trusted (row 4 of the admission table). All times are monotonic milliseconds. */
export type TableCompleteness = {
  /** Also notices that the process stood still: call it often. */
  isComplete(): boolean;
  /** How it came to be, or why it is not: `Standing` of schema/domain. */
  mode(): Standing["mode"];
  /** Control answered a sync that was sent at `sentAt`; `isCaughtUp` when nothing more waits there. */
  heard(sentAt: number, isCaughtUp: boolean): void;
};

/** Incomplete from the start, and after a gap of `silenceMs`, until a sync sent later is complete or control was silent for `silenceMs`. */
export const createTableCompleteness = (silenceMs: number, monotonicMs: () => number): TableCompleteness => {
  let doubtedSince: number | null = monotonicMs();
  let lastHeardAt = Number.NEGATIVE_INFINITY;
  let lastSeenAt = monotonicMs();
  let isAlone = false;

  const noticeGap = (now: number): void => {
    if (now - lastSeenAt >= silenceMs) {
      doubtedSince = now;
      isAlone = false;
    }
    lastSeenAt = now;
  };

  const isComplete = (): boolean => {
    const now = monotonicMs();
    noticeGap(now);
    if (doubtedSince !== null && now - Math.max(doubtedSince, lastHeardAt) >= silenceMs) {
      doubtedSince = null;
      isAlone = true;
    }
    return doubtedSince === null;
  };

  return {
    isComplete,
    mode: () => (isComplete() ? (isAlone ? "alone" : "told") : "asking"),
    heard(sentAt, isCaughtUp) {
      const now = monotonicMs();
      noticeGap(now);
      lastHeardAt = now;
      if (!isCaughtUp || (doubtedSince !== null && sentAt < doubtedSince)) return;
      doubtedSince = null;
      isAlone = false;
    },
  };
};
