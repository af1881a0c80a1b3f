import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const HAS_PROC = existsSync("/proc/self/stat");
const POLL_MS = 20;

export type ProcessState = "running" | "stopped" | "gone";

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** proc(5): the state is the first field behind the name in parentheses, the start time the twentieth. */
const procFields = (pid: number): string[] => {
  try {
    return (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "").split(" ");
  } catch {
    return []; // no such process
  }
};

/** What a process is doing. One that has ended and was not reaped yet is gone. */
export const processState = (pid: number): ProcessState => {
  if (!exists(pid)) return "gone";
  if (!HAS_PROC) return "running";
  const [state = "X"] = procFields(pid);
  return "ZX".includes(state) ? "gone" : "Tt".includes(state) ? "stopped" : "running";
};

/** Tells a process from another one that got the same pid later; null when it is gone. */
export const processIdentity = (pid: number): string | null => {
  if (processState(pid) === "gone") return null;
  return `${pid}@${procFields(pid)[19] ?? "?"}`;
};

/** Whether all of them have ended within the time. */
export const waitGone = async (pids: readonly number[], withinMs: number): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  while (pids.some((pid) => processState(pid) !== "gone")) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
};

export const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) if (processState(pid) !== "gone") process.kill(pid, signal);
};

/** Asks processes to end, thawing them first; those still there after the grace are killed. */
export const endAll = async (pids: readonly number[], graceMs: number): Promise<void> => {
  signalAll(pids, "SIGTERM");
  signalAll(pids, "SIGCONT");
  if (await waitGone(pids, graceMs)) return;
  signalAll(pids, "SIGKILL");
  await waitGone(pids, graceMs);
};
