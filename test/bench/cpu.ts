import { readFileSync } from "node:fs";

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
