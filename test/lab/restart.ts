import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readLabFile, writeLabFile } from "./lab-file.ts";
import { labPaths } from "./paths.ts";
import { endProgram, startProgram } from "./program.ts";
import { readProgram } from "./programs-file.ts";

const USAGE = "node test/lab/restart.ts --data DIR NAME   starts a program of a running lab (again); see processes in lab.json";

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({ options: { data: { type: "string" } }, allowPositionals: true });
  const [name] = positionals;
  if (values.data === undefined || name === undefined) {
    console.error(USAGE);
    return 2;
  }
  const paths = labPaths(resolve(values.data));
  const file = readLabFile(paths);
  const program = readProgram(paths, name);
  await endProgram(paths, name);
  await startProgram(paths, program);
  writeLabFile(paths, file);
  return 0;
};

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
