import { readFileSync } from "node:fs";
import * as z from "zod";
import { type LabPaths, NODE, ROOT } from "./paths.ts";
import type { Program } from "./program.ts";
import { writePrivately } from "./write-privately.ts";

const ProgramField = z.object({
  name: z.string(),
  argv: z.tuple([z.string()], z.string()),
  env: z.record(z.string(), z.string()),
  ready: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("http"), url: z.string() }),
    z.object({ kind: z.literal("sqld"), url: z.string(), admin: z.string() }),
  ]),
  isLaunched: z.boolean(),
});

/** Notes how each program is started, secrets included, for those who start it again from outside. */
export const writePrograms = (paths: LabPaths, programs: readonly Program[]): void => writePrivately(paths.programs, programs);

/** Finds a program by its name; throws an Error that lists the names when there is none. */
export const readProgram = (paths: LabPaths, name: string): Program => {
  const programs: Program[] = z.array(ProgramField).parse(JSON.parse(readFileSync(paths.programs, "utf8")));
  const program = programs.find((candidate) => candidate.name === name);
  if (program === undefined) throw new Error(`there is no program ${name}, only ${programs.map((known) => known.name).join(", ")}`);
  return program;
};

/** The command that brings a program back: it ends one that still runs, and returns when the new one serves. */
export const restartCommand = (dir: string, name: string): [string, ...string[]] => [
  NODE,
  `${ROOT}/test/lab/restart.ts`,
  "--data",
  dir,
  name,
];
