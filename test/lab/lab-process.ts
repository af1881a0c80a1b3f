import { readLabFile, writeLabFile } from "./lab-file.ts";
import type { LabPaths } from "./paths.ts";
import { endProgram, type Program, pidsOf, signalProgram, startProgram } from "./program.ts";

/** One program of a running lab, whoever started it last. */
export type LabProcess = {
  /** The process itself; null when it is not running. */
  pid(): number | null;
  /** Sends it a signal, SIGKILL unless told otherwise, and waits for the end that SIGKILL brings. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Asks it to end, kills it when it does not. */
  stop(): Promise<void>;
  /** Ends what is left of it, starts it and waits until it serves. */
  start(): Promise<void>;
};

export const createProcess = (paths: LabPaths, program: Program): LabProcess => ({
  pid: () => pidsOf(paths, program.name)[0] ?? null,
  kill: (signal = "SIGKILL") => signalProgram(paths, program.name, signal),
  freeze: () => signalProgram(paths, program.name, "SIGSTOP"),
  thaw: () => signalProgram(paths, program.name, "SIGCONT"),
  stop: () => endProgram(paths, program.name),
  async start() {
    await endProgram(paths, program.name);
    await startProgram(paths, program);
    writeLabFile(paths, readLabFile(paths));
  },
});
