import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRuntimeInstalled, POP_RUNTIMES, type PopRuntime } from "../lab/pop-runtimes.ts";
import { createEdgeFleet, type EdgeFleet } from "./edge-fleet.ts";
import { generateLoad } from "./generate-load.ts";
import type { BenchOptions } from "./options.ts";
import { PINNING } from "./pin.ts";
import { startPop, writePopData } from "./pop-server.ts";
import { type Contender, runRounds } from "./rounds.ts";
import { rowOf, type Section } from "./section.ts";
import { type Server, stopAll } from "./server-process.ts";
import { findTool } from "./tools.ts";
import { requestScript, requestTexts, runWrk } from "./wrk.ts";

const TITLE = "Self-hosted POP, fleet size";
const LARGE = 10_000_000;
const SMALL = 10_000;
const CONNECTIONS = 32;
const MAX_LOAD_SECONDS = 8;
const MAX_RESIDENT_MB = 500;

/** Resident memory of a process in megabytes (proc(5)). */
const residentMbOf = (pid: number): number => {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
};

/** Start to readiness, the whole file read, and what the process holds then. */
const describeStart = async (runtime: PopRuntime, folder: string, fleet: EdgeFleet): Promise<string> => {
  const startedAt = performance.now();
  const server = await startPop(runtime, folder, fleet);
  const seconds = (performance.now() - startedAt) / 1000;
  const residentMb = residentMbOf(server.pid);
  await server.stop();
  const verdict = seconds <= MAX_LOAD_SECONDS && residentMb <= MAX_RESIDENT_MB ? "yes" : "no";
  return `POP on ${runtime}: ready ${seconds.toFixed(1)} s after its start, ${Math.round(residentMb)} MB resident; within ${MAX_LOAD_SECONDS} s and ${MAX_RESIDENT_MB} MB: ${verdict}`;
};

const measureMemory = async (wrk: string, options: BenchOptions): Promise<Section> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-bench-"));
  const running: Server[] = [];
  try {
    const fleet = await createEdgeFleet(SMALL);
    const script = join(folder, "requests.lua");
    writeFileSync(script, requestScript(fleet.vehicles));
    const [large, small] = [join(folder, "large"), join(folder, "small")];
    await writePopData(large, fleet, LARGE);
    await writePopData(small, fleet, SMALL);
    const runtimes = POP_RUNTIMES.filter(isRuntimeInstalled);
    const starts: string[] = [];
    for (const runtime of runtimes) starts.push(await describeStart(runtime, large, fleet));
    const runtime = runtimes.at(-1) ?? "node";
    const contenders: Contender[] = [];
    for (const [name, data] of [
      ["10 million", large],
      ["10 thousand", small],
    ] as const) {
      const server = await startPop(runtime, data, fleet);
      running.push(server);
      const { port, pid } = server;
      await generateLoad({ kind: "drain", port, connections: CONNECTIONS, requests: requestTexts(fleet.vehicles) }, "pinned");
      const measure = () => runWrk(wrk, { url: `http://127.0.0.1:${port}`, script, seconds: options.seconds });
      contenders.push({ name: `${name} vehicles`, pid, measure });
    }
    const [ten, base] = await runRounds(contenders, options.rounds, options.onMeasured);
    if (ten === undefined || base === undefined) throw new Error("nothing was measured");
    const megabytes = Math.round(statSync(join(large, "replica.gz")).size / 1e6);
    return {
      kind: "measured",
      title: TITLE,
      rows: [rowOf(`GET /v1/route, POP on ${runtime}, 10 million vehicles`, ten, base, { kind: "ratio", atLeast: 0.9 })],
      notes: [
        `10 million vehicles from a file of ${megabytes} MB, on disk and gzipped`,
        ...starts,
        `the same ${SMALL.toLocaleString("en")} vehicles ask both, spread over the whole table`,
        PINNING,
      ],
    };
  } finally {
    await stopAll(running);
    rmSync(folder, { recursive: true });
  }
};

/** What ten million vehicles cost a POP: start, memory, and the rate beside ten thousand. */
export const benchPopMemory = async (options: BenchOptions): Promise<readonly Section[]> => {
  const wrk = findTool("wrk");
  if (wrk !== null) return [await measureMemory(wrk, options)];
  return [{ kind: "skipped", title: TITLE, reason: "wrk is not installed (Debian: apt-get install wrk)" }];
};
