import type { WorkerOptions } from "miniflare";
import { encodeRouteRecord } from "#schema/domain/route.ts";
import { bundleWorker } from "./bundle.ts";
import { COMPATIBILITY } from "./edge.ts";
import type { EdgeFleet } from "./edge-fleet.ts";
import { type DirectWorker, startDirectWorker } from "./workerd.ts";

const moduleOf = async (entry: string) => [{ type: "ESModule" as const, path: "worker.mjs", contents: await bundleWorker(entry) }];

/** A worker over a KV of two more workers in the same process. */
const startOverKv = async (options: WorkerOptions & { readonly name: string }, { topology, record }: EdgeFleet): Promise<DirectWorker> =>
  startDirectWorker({ ...options, ...COMPATIBILITY, wrappedBindings: { ROUTES: "kv-binding" } }, [
    { name: "kv-binding", modules: await moduleOf("test/bench/probes/kv-binding.ts"), serviceBindings: { STORE: "kv-store" } },
    {
      ...{ name: "kv-store", ...COMPATIBILITY, modules: await moduleOf("test/bench/probes/kv-store.ts") },
      bindings: { TOPOLOGY: JSON.stringify(topology), RECORD: encodeRouteRecord(record) },
    },
  ]);

/** The router in workerd, of which no vehicle is known yet. */
export const startColdRouter = async (fleet: EdgeFleet): Promise<DirectWorker> =>
  startOverKv(
    {
      ...{ name: "router", modules: await moduleOf("router-worker/index.ts"), bindings: fleet.variables },
      serviceBindings: { CONTROL: { external: { address: "127.0.0.1:1", http: {} } } },
    },
    fleet,
  );

export const STEPS = ["verify", "key", "read", "sign"] as const;

/** A worker that does one step of a cold answer on each path, and nothing on `/nothing`. */
export const startSteps = async (fleet: EdgeFleet): Promise<DirectWorker> => {
  const { PEPPERS, POP_PRIVATE_JWK } = fleet.variables;
  const [pepper] = JSON.parse(PEPPERS) as [{ readonly secret: string }];
  const bindings = { TOPOLOGY: JSON.stringify(fleet.topology), POP_PRIVATE_JWK, PEPPER: pepper.secret };
  return startOverKv({ name: "steps", modules: await moduleOf("test/bench/probes/steps-worker.ts"), bindings }, fleet);
};
