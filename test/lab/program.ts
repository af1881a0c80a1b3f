import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { endAll, processState, signalAll, waitGone } from "./os-process.ts";
import { type LabPaths, ROOT } from "./paths.ts";
import { requireStrongDurability } from "./sqld.ts";

/** How it shows that a program serves. */
export type Readiness =
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "sqld"; readonly url: string; readonly admin: string };

/** One program of the lab: all that is needed to start it again. */
export type Program = {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly ready: Readiness;
  /** The program is a child of what `argv` starts (workerd under Miniflare) and its pid is noted by that launcher. */
  readonly isLaunched: boolean;
};

const READY_WITHIN_MS = 30_000;
const POLL_MS = 25;
const GRACE_MS = 15_000;
const LOG_TAIL_BYTES = 2_000;

const readPid = (file: string): number[] => {
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : Number.NaN;
  return Number.isInteger(pid) && pid > 1 ? [pid] : [];
};

/** The processes of a program, the one that a tester kills first; empty when it never ran. */
export const pidsOf = (paths: LabPaths, name: string): number[] => [...readPid(paths.pid(name)), ...readPid(paths.launcherPid(name))];

export const isAlive = (paths: LabPaths, name: string): boolean => pidsOf(paths, name).some((pid) => processState(pid) !== "gone");

const inherited = (): Record<string, string> =>
  Object.fromEntries(
    ["PATH", "HOME", "TMPDIR", "LANG"].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false; // not listening yet
  }
};

const becomeReady = async (ready: Readiness): Promise<boolean> => {
  switch (ready.kind) {
    case "http":
      return answers(ready.url);
    case "sqld":
      if (!(await answers(`${ready.url}/health`))) return false;
      await requireStrongDurability(ready.admin);
      return true;
  }
};

/** Starts a program in a session of its own and waits until it serves; throws with the end of its log when it does not. */
export const startProgram = async (paths: LabPaths, program: Program): Promise<void> => {
  if (isAlive(paths, program.name)) throw new Error(`${program.name} is already running`);
  mkdirSync(paths.logs, { recursive: true });
  mkdirSync(paths.run, { recursive: true });
  rmSync(paths.pid(program.name), { force: true });
  const log = openSync(paths.log(program.name), "a");
  const [command, ...args] = program.argv;
  const child = spawn(command, args, { cwd: ROOT, env: { ...inherited(), ...program.env }, stdio: ["ignore", log, log], detached: true });
  closeSync(log);
  child.unref();
  const failed = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`ended with ${signal ?? code}`));
  });
  if (child.pid === undefined) throw new Error(`${program.name}: ${await failed}`);
  writeFileSync(program.isLaunched ? paths.launcherPid(program.name) : paths.pid(program.name), String(child.pid));
  const ended = { how: null as string | null };
  failed.then((how) => {
    ended.how = how;
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  while (ended.how === null && performance.now() < deadline) {
    if (await becomeReady(program.ready)) return;
    await sleep(POLL_MS);
  }
  const tail = readFileSync(paths.log(program.name), "utf8").slice(-LOG_TAIL_BYTES);
  throw new Error(`${program.name} ${ended.how ?? "does not answer"}; the end of ${paths.log(program.name)}:\n${tail}`);
};

/** Ends a program, asking it (its launcher, where it has one) first. */
export const endProgram = async (paths: LabPaths, name: string): Promise<void> => {
  const launcher = readPid(paths.launcherPid(name));
  await endAll(launcher.length > 0 ? launcher : readPid(paths.pid(name)), GRACE_MS);
  await endAll(readPid(paths.pid(name)), GRACE_MS);
  rmSync(paths.pid(name), { force: true });
  rmSync(paths.launcherPid(name), { force: true });
};

/** Sends a program itself a signal; SIGKILL is waited for. */
export const signalProgram = async (paths: LabPaths, name: string, signal: NodeJS.Signals): Promise<void> => {
  const [pid] = pidsOf(paths, name);
  if (pid === undefined) return;
  signalAll([pid], signal);
  if (signal === "SIGKILL") await waitGone(pidsOf(paths, name), GRACE_MS);
};
