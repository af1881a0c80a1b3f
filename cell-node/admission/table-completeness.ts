/** Whether the vehicle table may be trusted (row 4 of the admission table). All times are monotonic milliseconds. */
export type TableCompleteness = {
  /** Also notices that the process stood still: call it often. */
  isComplete(): boolean;
  /** Control answered a sync that was sent at `sentAt`; `isCaughtUp` when nothing more waits there. */
  heard(sentAt: number, isCaughtUp: boolean): void;
};

/** Incomplete from the start, and after a gap of `silenceMs`, until a sync sent later is complete or control was silent for `silenceMs`. */
export const createTableCompleteness = (silenceMs: number, monotonicMs: () => number): TableCompleteness => {
  let doubtedSince: number | null = monotonicMs();
  let lastHeardAt = Number.NEGATIVE_INFINITY;
  let lastSeenAt = monotonicMs();

  const noticeGap = (now: number): void => {
    if (now - lastSeenAt >= silenceMs) doubtedSince = now;
    lastSeenAt = now;
  };

  return {
    isComplete() {
      const now = monotonicMs();
      noticeGap(now);
      if (doubtedSince !== null && now - Math.max(doubtedSince, lastHeardAt) >= silenceMs) doubtedSince = null;
      return doubtedSince === null;
    },
    heard(sentAt, isCaughtUp) {
      const now = monotonicMs();
      noticeGap(now);
      lastHeardAt = now;
      if (isCaughtUp && doubtedSince !== null && sentAt >= doubtedSince) doubtedSince = null;
    },
  };
};
