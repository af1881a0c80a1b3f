import type { Clock } from "../../../router-worker/clock.ts";

export type FakeClock = Clock & {
  /** Moves time on and runs what falls due, in order; lets promises settle between. */
  advance(ms: number): Promise<void>;
};

const BLOCK = new Uint8Array(64);

/** Lets everything run that waits for no timer: promises, and the crypto jobs of other threads, behind which these queue up. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) {
    await crypto.subtle.digest("SHA-256", BLOCK);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
};

export const createFakeClock = (startMs = Date.UTC(2026, 10, 20, 10)): FakeClock => {
  let nowMs = startMs;
  const timers = new Set<{ atMs: number; run: () => void }>();
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers.delete(due);
        nowMs = due.atMs;
        due.run();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
  };
};
