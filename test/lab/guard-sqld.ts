import { setTimeout as sleep } from "node:timers/promises";
import { processState } from "./os-process.ts";
import type { LabPaths } from "./paths.ts";
import { endProgram, type Program, pidsOf, signalProgram, startProgram } from "./program.ts";
import { answersWrites } from "./sqld.ts";

/** The wait for an answer is longer than a forgotten transaction may hold the lock (txn_timeout_s). */
const PACE = { everyMs: 2_000, answerWithinMs: 6_000 };
const UNANSWERED_BEFORE_RESTART = 2;

/**
 * A probe that writes at a steady pace and starts sqld again when it is there and answers no write twice in a row (toolchain.md: it
 * can wedge for good). One that is frozen for longer is no better; one that somebody killed is left alone. Ends with the signal.
 */
export const guardSqld = async (
  paths: LabPaths,
  program: Program,
  url: string,
  hooks: { readonly signal: AbortSignal; readonly onRestart: () => void },
  pace: typeof PACE = PACE,
): Promise<void> => {
  let unanswered = { pid: 0, count: 0 };
  while (!hooks.signal.aborted) {
    const [pid = 0] = pidsOf(paths, program.name);
    const isServed = await answersWrites(url, pace.answerWithinMs);
    const isSame = pidsOf(paths, program.name)[0] === pid && pid > 0 && processState(pid) !== "gone";
    unanswered = isServed || !isSame ? { pid, count: 0 } : { pid, count: unanswered.pid === pid ? unanswered.count + 1 : 1 };
    if (unanswered.count >= UNANSWERED_BEFORE_RESTART && !hooks.signal.aborted) {
      await signalProgram(paths, program.name, "SIGKILL");
      await endProgram(paths, program.name);
      if (hooks.signal.aborted) return;
      await startProgram(paths, program);
      hooks.onRestart();
    }
    await sleep(pace.everyMs, undefined, { signal: hooks.signal }).catch(() => {});
  }
};
