import type { Clock } from "./clock.ts";

export type BreakerState = "closed" | "open" | "half_open";

export type BreakerSettings = {
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** How long it stays open before one call may probe. */
  readonly openMs: number;
  /** After this a probe that never reported counts as lost and another may go. */
  readonly probeMs: number;
};

export type Breaker = {
  /** Whether a call may go now; each permitted call reports `succeeded` or `failed`. */
  permits(): boolean;
  succeeded(): void;
  failed(): void;
  state(): BreakerState;
};

/** Circuit breaker: closed -> open after failures in a row -> half-open, one probe at a time -> closed or open again. */
export const createBreaker = (clock: Clock, settings: BreakerSettings): Breaker => {
  let state: BreakerState = "closed";
  let failures = 0;
  let blockedUntilMs = 0;
  const open = () => {
    state = "open";
    blockedUntilMs = clock.now() + settings.openMs;
  };
  return {
    permits() {
      if (state === "closed") return true;
      if (clock.now() < blockedUntilMs) return false;
      state = "half_open";
      blockedUntilMs = clock.now() + settings.probeMs;
      return true;
    },
    succeeded() {
      state = "closed";
      failures = 0;
    },
    failed() {
      failures += 1;
      if (state === "half_open" || (state === "closed" && failures >= settings.failures)) open();
    },
    state: () => state,
  };
};
