import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { LabFile } from "../lab/lab-file.ts";
import { processState } from "../lab/os-process.ts";
import { freeBase } from "./support/lab.ts";
import { until } from "./support/until.ts";

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 20_000;

const dataDir = mkdtempSync(join(tmpdir(), "cloverleaf-dev-"));
let child: ChildProcess | null = null;

afterEach(async () => {
  if (child?.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
  rmSync(dataDir, { recursive: true, force: true });
});

const startDev = async (): Promise<{ readonly dev: ChildProcess; readonly lines: () => string[] }> => {
  const base = await freeBase({ cells: 2, pops: 1, controls: 2 });
  const dev = spawn("npm", ["run", "--silent", "dev", "--", "--data", dataDir, "--port-base", String(base)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  dev.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return { dev, lines: () => output.split("\n") };
};

test("npm run dev prints `lab ready` within 30 s with everything in lab.json, and leaves no process behind on SIGINT", async () => {
  const { dev, lines } = await startDev();
  child = dev;
  await until("lab ready", READY_WITHIN_MS, () => lines().includes("lab ready"));
  const file = LabFile.parse(JSON.parse(readFileSync(join(dataDir, "lab.json"), "utf8")));
  expect(Object.keys(file.processes).sort()).toEqual(["cell-cn-1", "cell-eu-1", "control", "kv", "router", "sqld"]);
  const pids = Object.values(file.processes).flatMap((program) => program.pids);
  expect(pids.map(processState)).toEqual(pids.map(() => "running"));

  const ended = once(dev, "exit");
  process.kill(file.supervisor, "SIGINT");
  const [code] = await ended;
  expect(code).toBe(0);
  await until("every process has ended", STOPPED_WITHIN_MS, () => pids.every((pid) => processState(pid) === "gone"));
  expect(existsSync(join(dataDir, "lab.json"))).toBe(false);
});
