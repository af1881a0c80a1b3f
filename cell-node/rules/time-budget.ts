/** A share of the time that passes, to be spent in pieces that are measured afterwards. */
export type TimeBudget = {
  mayRun(nowMs: number): boolean;
  charge(spentMs: number): void;
};

/** `share` of each second, of which `burstMs` may be saved up. A piece may overdraw it: then it waits until that is earned. */
export const createTimeBudget = (share: number, burstMs: number): TimeBudget => {
  let left = burstMs;
  let filledAt = Number.NEGATIVE_INFINITY;
  return {
    mayRun(nowMs) {
      if (nowMs > filledAt) {
        left = Math.min(burstMs, left + (nowMs - filledAt) * share);
        filledAt = nowMs;
      }
      return left > 0;
    },
    charge: (spentMs) => {
      left -= spentMs;
    },
  };
};
