import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { guardSqld } from "./guard-sqld.ts";
import { createProcess } from "./lab-process.ts";
import { processState, waitGone } from "./os-process.ts";
import { type LabPaths, labPaths, NODE, ROOT, SQLD } from "./paths.ts";
import { endProgram, isAlive, type Program, pidsOf, signalProgram, startProgram } from "./program.ts";
import { requireStrongDurability } from "./sqld.ts";
import { stopPrograms } from "./stop-programs.ts";
import { lockFolder, unlockFolder } from "./supervisor-lock.ts";

/** Answers GET, and never a POST: what a wedged database looks like. */
const HANGS_ON_WRITES = `
  require("node:http").createServer((request, response) => { if (request.method === "GET") response.end("ok"); })
    .listen(Number(process.argv[1]), "127.0.0.1");
`;
const PACE = { everyMs: 10, answerWithinMs: 150 };

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

const program = (name: string, argv: [string, ...string[]], port: number, path = "/"): Program => ({
  name,
  argv,
  env: {},
  ready: { kind: "http", url: `http://127.0.0.1:${port}${path}` },
  isLaunched: false,
});

let paths: LabPaths;
beforeEach(() => {
  paths = labPaths(mkdtempSync(join(tmpdir(), "cloverleaf-program-")));
});
afterEach(() => stopPrograms(paths));

const startHanging = async (name = "sqld") => {
  const port = await freePort();
  const hanging = program(name, [NODE, "-e", HANGS_ON_WRITES, String(port)], port);
  await startProgram(paths, hanging);
  return { hanging, url: `http://127.0.0.1:${port}` };
};

describe("a program of the lab", () => {
  test("killed it is dead, started again it serves under another pid", async () => {
    const { hanging, url } = await startHanging();
    const process = createProcess(paths, hanging);
    const before = process.pid();
    await process.kill();
    expect(isAlive(paths, "sqld")).toBe(false);
    await endProgram(paths, "sqld");
    await startProgram(paths, hanging);
    expect((await fetch(url)).ok).toBe(true);
    expect(process.pid()).not.toBe(before);
  });

  test("frozen it answers nothing and is not gone; thawed it goes on; frozen it can still be stopped", async () => {
    const { hanging, url } = await startHanging();
    const process = createProcess(paths, hanging);
    const pid = process.pid() ?? 0;
    await process.freeze();
    await expect.poll(() => processState(pid)).toBe("stopped");
    await process.thaw();
    expect((await fetch(url)).ok).toBe(true);
    await process.freeze();
    await process.stop();
    expect(processState(pid)).toBe("gone");
  });

  test("a second start beside a running one is refused", async () => {
    const { hanging } = await startHanging();
    await expect(startProgram(paths, hanging)).rejects.toThrow("already running");
  });

  test("one that cannot start says so with the end of its log", async () => {
    const failing = program("cell", [NODE, "-e", "console.error('no such key'); process.exit(3)"], await freePort());
    await expect(startProgram(paths, failing)).rejects.toThrow(/cell ended with 3(.|\n)*no such key/);
  });
});

describe("the write probe", () => {
  test.each(["hangs", "is frozen"])("starts a sqld again that %s and answers no write", async (how) => {
    const { hanging, url } = await startHanging();
    const [before] = pidsOf(paths, "sqld");
    if (how === "is frozen") await signalProgram(paths, "sqld", "SIGSTOP");
    const ended = new AbortController();
    await guardSqld(paths, hanging, url, { signal: ended.signal, onRestart: () => ended.abort() }, PACE);
    expect(pidsOf(paths, "sqld")).not.toEqual([before]);
    expect((await fetch(url)).ok).toBe(true);
  });

  test("leaves one alone that somebody killed", async () => {
    const { hanging, url } = await startHanging();
    const before = pidsOf(paths, "sqld");
    await signalProgram(paths, "sqld", "SIGKILL");
    const ended = new AbortController();
    const restarts: string[] = [];
    const guarding = guardSqld(paths, hanging, url, { signal: ended.signal, onRestart: () => restarts.push("restart") }, PACE);
    setTimeout(() => ended.abort(), 6 * (PACE.everyMs + PACE.answerWithinMs));
    await guarding;
    expect(restarts).toEqual([]);
    expect(pidsOf(paths, "sqld")).toEqual(before);
  });

  test("sqld holds strong durability, read back after it was set", async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const admin = `http://127.0.0.1:${adminPort}`;
    const listen = ["--http-listen-addr", `127.0.0.1:${port}`, "--admin-listen-addr", `127.0.0.1:${adminPort}`];
    await startProgram(paths, program("sqld", [SQLD, "--db-path", paths.sqld, "--no-welcome", ...listen], port, "/health"));
    const read = async () => (await fetch(`${admin}/v1/namespaces/default/config`)).json();
    expect(await read()).toMatchObject({ durability_mode: "relaxed" });
    await requireStrongDurability(admin);
    expect(await read()).toMatchObject({ durability_mode: "strong", txn_timeout_s: 5 });
  });
});

describe("the end of the lab", () => {
  test("what is noted as running ends with its supervisor, even when that is killed", async () => {
    const { hanging } = await startHanging("cell-eu-1");
    const script = `
      const { endNotedWithThis } = await import(${JSON.stringify(`${ROOT}/test/lab/watchdog.ts`)});
      endNotedWithThis(${JSON.stringify(paths.run)});
      console.log("on guard");
      setInterval(() => {}, 1000);
    `;
    const supervisor = spawn(NODE, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => supervisor.stdout.once("data", resolve));
    const pids = pidsOf(paths, hanging.name);
    supervisor.kill("SIGKILL");
    expect(await waitGone(pids, 5_000)).toBe(true);
  });

  test("a folder has one lab at a time; a lab that was killed does not hold it", () => {
    lockFolder(paths);
    expect(() => lockFolder(paths)).toThrow("already runs on this folder");
    unlockFolder(paths);
    writeFileSync(paths.supervisor, `${process.pid}@1`);
    expect(() => lockFolder(paths)).not.toThrow();
  });
});
