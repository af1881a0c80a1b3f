/** Takes one of `burst` tokens that come back at `perSecond`; false when none is left. */
export type TokenBucket = (nowMs: number) => boolean;

export const createTokenBucket = (perSecond: number, burst: number): TokenBucket => {
  let tokens = burst;
  let filledAt = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    if (nowMs > filledAt) {
      tokens = Math.min(burst, tokens + (Math.max(0, nowMs - filledAt) / 1000) * perSecond);
      filledAt = nowMs;
    }
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};
