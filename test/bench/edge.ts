import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker } from "./bundle.ts";
import { createEdgeFleet, type EdgeFleet, kvOf } from "./edge-fleet.ts";
import type { BenchOptions } from "./options.ts";
import { PINNING } from "./pin.ts";
import { type Contender, runRounds } from "./rounds.ts";
import { rowOf, type Section } from "./section.ts";
import { findTool } from "./tools.ts";
import { type DirectWorker, startDirectWorker } from "./workerd.ts";
import { requestScript, runWrk } from "./wrk.ts";

const TITLE = "Edge, hot";
const VEHICLES = 1000;
export const COMPATIBILITY = { compatibilityDate: "2026-07-01", compatibilityFlags: ["nodejs_compat"] };

const startRouter = async (fleet: EdgeFleet): Promise<DirectWorker> => {
  const router = await startDirectWorker({
    ...{ name: "router", ...COMPATIBILITY, kvNamespaces: ["ROUTES"], bindings: fleet.variables },
    modules: [{ type: "ESModule", path: "router.mjs", contents: await bundleWorker("router-worker/index.ts") }],
    // Control is down: a hot edge answers without it (invariant I4).
    serviceBindings: { CONTROL: { external: { address: "127.0.0.1:1", http: {} } } },
  });
  const kv = await router.miniflare.getKVNamespace("ROUTES");
  for (const [key, value] of kvOf(fleet)) await kv.put(key, value);
  return router;
};

const startConstant = (body: string): Promise<DirectWorker> => {
  const source = `
    const body = ${JSON.stringify(body)};
    const init = { headers: { "Content-Type": "application/json" } };
    export default { fetch: () => new Response(body, init) };`;
  return startDirectWorker({ name: "constant", ...COMPATIBILITY, modules: [{ type: "ESModule", path: "constant.mjs", contents: source }] });
};

const askOnce = async ({ url }: DirectWorker, token: string): Promise<string> => {
  const response = await fetch(`${url}/v1/route`, { headers: { Authorization: `Bearer ${token}` } });
  const body = await response.text();
  if (!response.ok) throw new Error(`the router answered ${response.status} ${body}`);
  return body;
};

const measureEdge = async (wrk: string, options: BenchOptions): Promise<Section> => {
  const fleet = await createEdgeFleet(VEHICLES);
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-bench-"));
  const script = join(folder, "tokens.lua");
  writeFileSync(script, requestScript(fleet.vehicles));
  const running: DirectWorker[] = [];
  try {
    const router = await startRouter(fleet);
    running.push(router);
    const answer = await askOnce(router, fleet.vehicles[0]?.token ?? "");
    const constant = await startConstant(answer);
    const tiny = await startConstant("ok");
    running.push(constant, tiny);
    const contender = (name: string, { url, pid }: DirectWorker): Contender => ({
      ...{ name, pid },
      measure: () => runWrk(wrk, { url, script, seconds: options.seconds }),
    });
    for (const { url } of running) await runWrk(wrk, { url, script, seconds: 2 });
    const contenders = [contender("router", router), contender("constant, same bytes", constant), contender('constant "ok"', tiny)];
    const [ours, same, small] = await runRounds(contenders, options.rounds, options.onMeasured);
    if (ours === undefined || same === undefined || small === undefined) throw new Error("nothing was measured");
    return {
      kind: "measured",
      title: TITLE,
      rows: [rowOf("GET /v1/route", ours, same, { kind: "ratio", atLeast: 0.9 }), rowOf("GET /v1/route", ours, small)],
      notes: [
        `router-worker in workerd on its direct socket, ${VEHICLES} vehicles in turn, each answer with its signed ticket (${answer.length} bytes)`,
        "peer: workerd answering a constant, in the same run: the bytes of such an answer, or two bytes; same requests",
        PINNING,
        "wrk, 1 thread, 32 connections, any answer but 2xx fails the run",
      ],
    };
  } finally {
    for (const worker of running) await worker.stop();
    rmSync(folder, { recursive: true });
  }
};

/** The router's hot path beside a raw workerd constant answer, both without Miniflare's proxy. */
export const benchEdge = async (options: BenchOptions): Promise<Section> => {
  const wrk = findTool("wrk");
  return wrk === null
    ? { kind: "skipped", title: TITLE, reason: "wrk is not installed (Debian: apt-get install wrk)" }
    : measureEdge(wrk, options);
};
