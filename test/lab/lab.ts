import { mkdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { bootLab } from "./boot.ts";
import type { Knobs, KnobsPatch } from "./kv/knobs.ts";
import { setKnobs } from "./kv-client.ts";
import { type LabFile, readLabFile } from "./lab-file.ts";
import type { LabOptions } from "./lab-options.ts";
import { createProcess, type LabProcess } from "./lab-process.ts";
import { labPaths } from "./paths.ts";
import { stopPrograms } from "./stop-programs.ts";
import { lockFolder, unlockFolder } from "./supervisor-lock.ts";
import { endNotedWithThis } from "./watchdog.ts";

/** A running lab: every program a process of its own. */
export type Lab = {
  readonly file: LabFile;
  /** By name: `kv`, `sqld`, `control`, `control-2`, `router`, `router-2`, …, and each cell by its id. Those not started are here too. */
  process(name: string): LabProcess;
  setKnobs(patch: KnobsPatch): Promise<Knobs>;
  /** Ends every program, those included that somebody else started again. */
  stop(): Promise<void>;
};

/** Boots a lab; throws an Error that says what is in the way, with nothing left running. It ends with this process at the latest. */
export const startLab = async (options: LabOptions): Promise<Lab> => {
  const paths = labPaths(resolve(options.dataDir));
  mkdirSync(resolve(options.dataDir), { recursive: true, mode: 0o700 });
  lockFolder(paths);
  rmSync(paths.run, { recursive: true, force: true });
  const callOffWatchdog = endNotedWithThis(paths.run);
  const ended = new AbortController();
  const stop = async () => {
    ended.abort();
    await stopPrograms(paths);
    rmSync(paths.labFile, { force: true });
    callOffWatchdog();
    unlockFolder(paths);
  };
  try {
    const signal = options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal]);
    const programs = await bootLab(paths, { ...options, signal });
    const processes = new Map(programs.map((program) => [program.name, createProcess(paths, program)]));
    return {
      file: readLabFile(paths),
      process(name) {
        const found = processes.get(name);
        if (found === undefined) throw new Error(`the lab has no program ${name}, only ${[...processes.keys()].join(", ")}`);
        return found;
      },
      setKnobs: (patch) => setKnobs(readLabFile(paths).kv, patch),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
