import type { Handler } from "hono";
import type { RouterDeps } from "../deps.ts";

const NO_STORE = { "Cache-Control": "no-store" };

/** `/healthz`: the program runs. */
export const healthHandler = (): Handler => () => Response.json({ status: "ok" }, { headers: NO_STORE });

/** `/readyz`: this edge can route: it holds a topology, or could read one just now, and its store is complete. */
export const readyHandler =
  (deps: RouterDeps): Handler =>
  async () => {
    const held = await deps.topology.current();
    const isReady = held !== null && deps.isComplete();
    const body = { status: isReady ? "ready" : "cold", pop: deps.popId, topologyVersion: held?.topology.version ?? null };
    return Response.json(body, { status: isReady ? 200 : 503, headers: { ...NO_STORE, ...(!isReady && { "Retry-After": "2" }) } });
  };

/** `/metrics`: what this isolate has counted. On Workers there are many isolates and each counts alone; the sums are in Analytics Engine. */
export const metricsHandler =
  (deps: RouterDeps): Handler =>
  () =>
    new Response(`# Counted by one isolate of POP ${deps.popId}, since its start.\n${deps.instruments.metrics.text()}`, {
      headers: { ...NO_STORE, "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
    });
