import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { processIdentity } from "./os-process.ts";
import type { LabPaths } from "./paths.ts";

/** Takes a data folder for this process; throws when a running lab has it. */
export const lockFolder = (paths: LabPaths): void => {
  const holder = existsSync(paths.supervisor) ? readFileSync(paths.supervisor, "utf8") : "";
  const pid = Number(holder.split("@")[0]);
  if (pid > 1 && processIdentity(pid) === holder) {
    throw new Error(`a lab already runs on this folder (process ${pid}): stop it first, or name another folder with --data DIR`);
  }
  writeFileSync(paths.supervisor, processIdentity(process.pid) ?? "");
};

export const unlockFolder = (paths: LabPaths): void => rmSync(paths.supervisor, { force: true });
