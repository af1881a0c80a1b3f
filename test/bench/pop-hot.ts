import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRuntimeInstalled, POP_RUNTIMES } from "../lab/pop-runtimes.ts";
import { createEdgeFleet, type EdgeFleet, vinAt } from "./edge-fleet.ts";
import { generateLoad } from "./generate-load.ts";
import { noteLatencies } from "./latency.ts";
import type { BenchOptions } from "./options.ts";
import { startFastifyHot } from "./peers/fastify.ts";
import { startHaproxy } from "./peers/haproxy.ts";
import { hasLuaAndRedis, startNginx } from "./peers/nginx.ts";
import { startRedis } from "./peers/redis.ts";
import { PINNING } from "./pin.ts";
import { startPop, writePopData } from "./pop-server.ts";
import { fastestOf, runRounds } from "./rounds.ts";
import { type Aim, rowOf, type Section } from "./section.ts";
import { type Server, stopAll } from "./server-process.ts";
import { findTool } from "./tools.ts";
import { requestScript, requestTexts, runWrk } from "./wrk.ts";

const TITLE = "Self-hosted POP, hot";
const FLEET_SIZE = 1_000_000;
/** So many that none comes near its own limit of requests. */
const ASKING = 20_000;
const CONNECTIONS = 32;

type Candidate = { readonly name: string; readonly server: Server; readonly helpers: readonly Server[]; readonly aim: Aim | null };

/** The peers that are installed, and a line for each that is not. */
const startPeers = async (folder: string, { topology, record }: EdgeFleet, running: Server[]) => {
  const peers: Candidate[] = [];
  const missing: string[] = [];
  const vins = Array.from({ length: FLEET_SIZE }, (_, index) => vinAt(index));
  const location = topology.cells[record.cell]?.endpoints.https ?? "";
  const add = (name: string, server: Server, helpers: readonly Server[], atLeast: number): void => {
    running.push(server);
    peers.push({ name, server, helpers, aim: { kind: "ratio", atLeast } });
  };
  const haproxy = findTool("haproxy");
  if (haproxy === null) missing.push("HAProxy: not installed (Debian: haproxy)");
  else add("HAProxy, map", await startHaproxy(haproxy, folder, vins, location), [], 0.9);
  const redisServer = findTool("redis-server");
  if (redisServer === null) return { peers, missing: [...missing, "Fastify and nginx with Redis: not installed (Debian: redis-server)"] };
  const redis = await startRedis(redisServer, vins, location);
  running.push(redis);
  add("Fastify + Redis", await startFastifyHot(redis), [redis], 1.8);
  const nginx = findTool("nginx");
  if (nginx !== null && hasLuaAndRedis()) add("nginx + Lua + Redis", await startNginx(nginx, folder, redis), [redis], 1.6);
  else missing.push("nginx + Lua + Redis: not installed (Debian: nginx libnginx-mod-http-lua lua-nginx-redis)");
  return { peers, missing };
};

const measureHot = async (wrk: string, options: BenchOptions): Promise<Section> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-bench-"));
  const running: Server[] = [];
  try {
    const fleet = await createEdgeFleet(ASKING);
    const script = join(folder, "requests.lua");
    writeFileSync(script, requestScript(fleet.vehicles));
    const requests = requestTexts(fleet.vehicles);
    await writePopData(join(folder, "pop"), fleet, FLEET_SIZE);
    const pops: Candidate[] = [];
    for (const runtime of POP_RUNTIMES.filter(isRuntimeInstalled)) {
      const server = await startPop(runtime, join(folder, "pop"), fleet);
      running.push(server);
      pops.push({ name: `POP on ${runtime}`, server, helpers: [], aim: null });
    }
    const { peers, missing } = await startPeers(folder, fleet, running);
    const candidates = [...pops, ...peers];
    for (const { server } of candidates) {
      await generateLoad({ kind: "drain", port: server.port, connections: CONNECTIONS, requests }, "pinned");
    }
    const contenders = candidates.map(({ name, server: { port, pid }, helpers }) => ({
      ...{ name, pid, helperPids: helpers.map((helper) => helper.pid) },
      measure: () => runWrk(wrk, { url: `http://127.0.0.1:${port}`, script, seconds: options.seconds }),
    }));
    const measured = await runRounds(contenders, options.rounds, options.onMeasured);
    const ours = fastestOf(measured.slice(0, pops.length));
    const paced = candidates.flatMap(({ server: { port } }, index) => {
      const own = measured[index];
      return own === undefined ? [] : [{ measured: own, port, requests }];
    });
    const rows = peers.flatMap(({ aim }, index) => {
      const peer = measured[pops.length + index];
      return peer === undefined ? [] : [rowOf(`GET /v1/route, ${ours.name}`, ours, peer, aim)];
    });
    return {
      kind: "measured",
      title: TITLE,
      rows,
      notes: [
        `the same router on each runtime: ${measured
          .slice(0, pops.length)
          .map(({ name, median }) => `${name} ${Math.round(median).toLocaleString("en")}/s`)
          .join(" · ")}`,
        `${FLEET_SIZE.toLocaleString("en")} vehicles in each, ${ASKING.toLocaleString("en")} of them ask in turn; the POP answers in full, with a signed ticket, behind its limits; peers answer a 307 to whoever asks`,
        await noteLatencies(paced, options.seconds),
        `${PINNING}; Redis shares the core of what asks it`,
        ...missing.map((line) => `skipped: ${line}`),
      ],
    };
  } finally {
    await stopAll(running);
    rmSync(folder, { recursive: true });
  }
};

/** The POP's hot path on each runtime beside HAProxy, nginx with Lua and Fastify, the latter two with Redis. */
export const benchPopHot = async (options: BenchOptions): Promise<readonly Section[]> => {
  const wrk = findTool("wrk");
  if (wrk !== null) return [await measureHot(wrk, options)];
  return [{ kind: "skipped", title: TITLE, reason: "wrk is not installed (Debian: apt-get install wrk)" }];
};
