import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** USER_HZ, which is 100 on every Linux that Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100;
const UTIME_AFTER_COMMAND = 11;

/** CPU seconds that a process has used, all threads together; null where there is no /proc. */
export const cpuSecondsOf = (pid: number): number | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[UTIME_AFTER_COMMAND]) + Number(fields[UTIME_AFTER_COMMAND + 1])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
};

const QUIET_WINDOW_MS = 300;
const QUIET_CPU_SECONDS = 0.03;
const QUIET_WITHIN_WINDOWS = 200;

/** Waits until a server has done what it put off: what it does after the load would otherwise slow the next contender. */
export const untilQuiet = async (pid: number): Promise<void> => {
  for (let window = 0; window < QUIET_WITHIN_WINDOWS; window++) {
    const before = cpuSecondsOf(pid);
    if (before === null) return;
    await sleep(QUIET_WINDOW_MS);
    if ((cpuSecondsOf(pid) ?? 0) - before <= QUIET_CPU_SECONDS) return;
  }
};
