import { existsSync, readdirSync } from "node:fs";
import type { LabPaths } from "./paths.ts";
import { endProgram } from "./program.ts";

/** Who needs whom: cells (and what else there is) end first, KV and the database last. */
const ORDER: readonly RegExp[] = [/^(?!router|control|kv$|sqld$)/, /^router/, /^control/, /^(kv|sqld)$/];

/** Ends every program that is noted as running, dependants first. */
export const stopPrograms = async (paths: LabPaths): Promise<void> => {
  const noted = existsSync(paths.run) ? readdirSync(paths.run) : [];
  const names = [...new Set(noted.map((file) => file.replace(/(\.launcher)?\.pid$/, "")))];
  for (const group of ORDER) await Promise.all(names.filter((name) => group.test(name)).map((name) => endProgram(paths, name)));
};
