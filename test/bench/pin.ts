import { availableParallelism } from "node:os";
import { findTool, outputOf } from "./tools.ts";

const taskset = findTool("taskset");
const isPinning = taskset !== null && availableParallelism() >= 2;

/** Servers get the first core and the load the second, so that they never compete. */
const CORES = { server: "0", load: "1" } as const;

export const PINNING = isPinning
  ? "each server on core 0, the load on core 1 (taskset)"
  : "nothing pinned: taskset is not installed, or there is one core only";

/** A command line that runs on the role's core where that is possible. */
export const pinned = (role: keyof typeof CORES, [command, ...args]: readonly [string, ...string[]]): [string, ...string[]] =>
  isPinning && taskset !== null ? [taskset, "-c", CORES[role], command, ...args] : [command, ...args];

/** Moves every thread of a running process to the role's core. */
export const pinProcess = (role: keyof typeof CORES, pid: number): void => {
  if (isPinning && taskset !== null) outputOf(taskset, ["-a", "-p", "-c", CORES[role], String(pid)]);
};
