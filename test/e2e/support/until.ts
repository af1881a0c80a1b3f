import { setTimeout as sleep } from "node:timers/promises";

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 400;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Asks again and again until the answer is neither null nor false; throws, saying what was last seen, when the time is over. */
export const until = async <T>(what: string, withinMs: number, probe: () => Promise<T | null | false> | T | null | false): Promise<T> => {
  const deadline = performance.now() + withinMs;
  let last = "no";
  for (let pauseMs = FIRST_PAUSE_MS; performance.now() < deadline; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      const answer = await probe();
      if (answer !== null && answer !== false) return answer;
      last = String(answer);
    } catch (error) {
      last = messageOf(error);
    }
    await sleep(pauseMs);
  }
  throw new Error(`${what}: not within ${withinMs} ms, last: ${last}`);
};
