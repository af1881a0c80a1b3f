/** Time as the cell sees it. `nowMs` is the machine's clock, mended by what control said; `monotonicMs` never jumps. */
export type Clock = {
  nowMs(): number;
  monotonicMs(): number;
  /** Control said that it was `nowMs` somewhere between two readings of `monotonicMs`. */
  correct(nowMs: number, sentAtMs: number, receivedAtMs: number): void;
};

/** A difference below this is the network's, not the clock's. */
const TOLERANCE_MS = 1_000;

export const createClock = (wallMs: () => number = Date.now, monotonicMs: () => number = () => performance.now()): Clock => {
  let offsetMs = 0;
  return {
    nowMs: () => Math.round(wallMs() + offsetMs),
    monotonicMs,
    correct(nowMs, sentAtMs, receivedAtMs) {
      const ageMs = monotonicMs() - (sentAtMs + receivedAtMs) / 2;
      const measuredMs = nowMs + ageMs - wallMs();
      if (Math.abs(measuredMs - offsetMs) > TOLERANCE_MS) offsetMs = Math.abs(measuredMs) > TOLERANCE_MS ? measuredMs : 0;
    },
  };
};
