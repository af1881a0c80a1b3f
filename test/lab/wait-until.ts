import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;

/** Waits for something to hold; throws, naming it, when it does not in time. */
export const waitUntil = async (what: string, holds: () => Promise<boolean>, withinMs = 20_000): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await sleep(POLL_MS);
  }
};
