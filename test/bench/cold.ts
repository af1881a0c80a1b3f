import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRuntimeInstalled, POP_RUNTIMES } from "../lab/pop-runtimes.ts";
import { createEdgeFleet, type EdgeFleet, type EdgeVehicle } from "./edge-fleet.ts";
import { generateLoad } from "./generate-load.ts";
import { noteLatencies } from "./latency.ts";
import type { BenchOptions } from "./options.ts";
import { startFastifyCold } from "./peers/fastify.ts";
import { startRedis } from "./peers/redis.ts";
import { PINNING } from "./pin.ts";
import { startPop, writePopData } from "./pop-server.ts";
import { type Contender, fastestOf, type Measured, runRounds, type Work } from "./rounds.ts";
import { rowOf, type Section } from "./section.ts";
import { type Server, stopAll } from "./server-process.ts";
import { findTool } from "./tools.ts";
import { STEPS, startColdRouter, startSteps } from "./workers-cold.ts";
import { requestTexts } from "./wrk.ts";

const TITLE = "Edge, cold";
const PER_SECOND = 4_000;
const CONNECTIONS = 32;
const STEP_REQUESTS = 4_000;

/** What Redis holds of each vehicle: all that the answer needs. */
const redisValueOf = ({ topology, record }: EdgeFleet): string => {
  const { cell, epoch } = record;
  const { endpoints, standby, keys } = topology.cells[cell] ?? {};
  const other = standby === null || standby === undefined ? null : { cell: standby, endpoints: topology.cells[standby]?.endpoints };
  const { allowedHosts } = topology;
  return JSON.stringify({ cell, epoch, standby: other, vinKey: "A".repeat(22), endpoints, allowedHosts, commandKeys: { keys } });
};

const startFastify = async (fleet: EdgeFleet, redisServer: string, running: { stop(): Promise<void> }[]) => {
  const vins = fleet.vehicles.map(({ vin }) => vin);
  const redis = await startRedis(redisServer, vins, redisValueOf(fleet));
  running.push(redis);
  const { issuers } = fleet.topology;
  const server = await startFastifyCold(redis, {
    issuers: issuers.map(({ issuer }) => issuer),
    deviceJwk: JSON.stringify(issuers[0]?.keys[0]),
    popJwk: fleet.variables.POP_PRIVATE_JWK,
    popId: fleet.variables.POP_ID,
  });
  running.push(server);
  return { name: "Fastify + jose + Redis", port: server.port, pid: server.pid, helperPids: [redis.pid] };
};

const drain = (port: number, requests: readonly string[]): Promise<Work> =>
  generateLoad({ kind: "drain", port, connections: CONNECTIONS, requests: [...requests] }, "pinned");

/** Microseconds of each step of a cold answer in workerd, each measured alone and less what a request costs by itself. */
const measureSteps = async (fleet: EdgeFleet, whole: Measured): Promise<string> => {
  const worker = await startSteps(fleet);
  try {
    const requests = requestTexts(fleet.vehicles.slice(0, STEP_REQUESTS));
    const timeOf = async (path: string): Promise<number> => {
      const { count, seconds } = await drain(
        Number(new URL(worker.url).port),
        requests.map((text) => text.replace("/v1/route", `/${path}`)),
      );
      return (seconds * 1e6) / count;
    };
    await timeOf("verify");
    const nothing = await timeOf("nothing");
    const all = 1e6 / whole.median;
    const shares = [`the request itself ${Math.round((100 * nothing) / all)} %`];
    for (const step of STEPS) shares.push(`${step} ${Math.round((100 * ((await timeOf(step)) - nothing)) / all)} %`);
    return `share of each step in workerd (measured alone; the rest is the router): ${shares.join(" · ")}`;
  } finally {
    await worker.stop();
  }
};

type Candidate = Omit<Contender, "measure"> & { readonly port: number };

const measureCold = async (redisServer: string, options: BenchOptions): Promise<Section> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-bench-"));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const perRound = PER_SECOND * options.seconds;
    const fleet = await createEdgeFleet(perRound * (options.rounds + 2));
    const sliceOf = (round: number): readonly EdgeVehicle[] => fleet.vehicles.slice(round * perRound, (round + 1) * perRound);
    await writePopData(join(folder, "pop"), fleet, fleet.vehicles.length);
    const pops: Candidate[] = [];
    for (const runtime of POP_RUNTIMES.filter(isRuntimeInstalled)) {
      const server: Server = await startPop(runtime, join(folder, "pop"), fleet);
      running.push(server);
      pops.push({ name: `POP on ${runtime}`, port: server.port, pid: server.pid });
    }
    const workers = await startColdRouter(fleet);
    running.push(workers);
    const workersCandidate: Candidate = { name: "Workers", port: Number(new URL(workers.url).port), pid: workers.pid };
    const candidates: Candidate[] = [...pops, workersCandidate, await startFastify(fleet, redisServer, running)];
    const contenders = candidates.map(({ port, ...contender }): Contender => {
      let round = 0;
      return { ...contender, measure: () => drain(port, requestTexts(sliceOf(++round))) };
    });
    for (const { port } of candidates) await drain(port, requestTexts(sliceOf(0)));
    const measured = await runRounds(contenders, options.rounds, options.onMeasured);
    const [inWorkerd, peer] = measured.slice(pops.length);
    if (inWorkerd === undefined || peer === undefined) throw new Error("nothing was measured");
    const ours = fastestOf(measured.slice(0, pops.length));
    const unseen = requestTexts(sliceOf(options.rounds + 1));
    const paced = measured.map((own, index) => ({ measured: own, port: candidates[index]?.port ?? 0, requests: unseen }));
    return {
      kind: "measured",
      title: TITLE,
      rows: [
        rowOf(`GET /v1/route, ${ours.name}`, ours, peer, { kind: "ratio", atLeast: 2 }),
        rowOf("GET /v1/route, Workers", inWorkerd, peer, { kind: "ratio", atLeast: 0.85 }),
      ],
      notes: [
        `every request from a vehicle that was never seen: Ed25519 credential verified, record looked up, ticket signed; ${perRound.toLocaleString("en")} requests each time, ${CONNECTIONS} connections`,
        `the same router on each runtime: ${measured
          .slice(0, pops.length)
          .map(({ name, median }) => `${name} ${Math.round(median).toLocaleString("en")}/s`)
          .join(" · ")}`,
        await measureSteps(fleet, inWorkerd),
        await noteLatencies(paced, options.seconds),
        "the record comes from memory (POP), another worker in the same workerd (Workers), Redis on the same core (Fastify)",
        PINNING,
      ],
    };
  } finally {
    await stopAll(running);
    rmSync(folder, { recursive: true });
  }
};

/** First sight of a vehicle, on each runtime and in workerd, beside Fastify with jose and Redis doing the same. */
export const benchCold = async (options: BenchOptions): Promise<readonly Section[]> => {
  const redisServer = findTool("redis-server");
  if (redisServer !== null) return [await measureCold(redisServer, options)];
  return [{ kind: "skipped", title: TITLE, reason: "redis-server is not installed (Debian: apt-get install redis-server)" }];
};
