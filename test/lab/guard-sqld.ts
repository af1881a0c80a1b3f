import { setTimeout as sleep } from "node:timers/promises";
import { processState } from "./os-process.ts";
import type { LabPaths } from "./paths.ts";
import { endProgram, type Program, pidsOf, startProgram } from "./program.ts";
import { answersWrites } from "./sqld.ts";

const EVERY_MS = 2_000;
/** Longer than a forgotten transaction may hold the lock (txn_timeout_s). */
const ANSWER_WITHIN_MS = 6_000;
const UNANSWERED_BEFORE_RESTART = 2;

/**
 * A probe that writes every 2 s and starts sqld again when it runs and answers no write twice in a row (toolchain.md: it can wedge for
 * good). A sqld that somebody killed or froze on purpose is left alone. Ends with the signal.
 */
export const guardSqld = async (
  paths: LabPaths,
  program: Program,
  url: string,
  hooks: { readonly signal: AbortSignal; readonly onRestart: () => void },
): Promise<void> => {
  let unanswered = { pid: 0, count: 0 };
  while (!hooks.signal.aborted) {
    const [pid = 0] = pidsOf(paths, program.name);
    const isServed = await answersWrites(url, ANSWER_WITHIN_MS);
    const isSame = pidsOf(paths, program.name)[0] === pid && pid > 0 && processState(pid) === "running";
    unanswered = isServed || !isSame ? { pid, count: 0 } : { pid, count: unanswered.pid === pid ? unanswered.count + 1 : 1 };
    if (unanswered.count >= UNANSWERED_BEFORE_RESTART && !hooks.signal.aborted) {
      await endProgram(paths, program.name);
      await startProgram(paths, program);
      hooks.onRestart();
    }
    await sleep(EVERY_MS, undefined, { signal: hooks.signal }).catch(() => {});
  }
};
