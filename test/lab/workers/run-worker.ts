import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { stop } from "esbuild";
import { Miniflare, type SharedOptions, type WorkerOptions } from "miniflare";
import { endWithThis } from "../watchdog.ts";
import { bundleWorker } from "./bundle.ts";

/** As in wrangler.toml. */
const COMPATIBILITY = { compatibilityDate: "2026-07-01", compatibilityFlags: ["nodejs_compat"] };

export type WorkerLaunch = {
  readonly entry: string;
  readonly port: number;
  readonly kvPort: number;
  /** Whose copy of KV the worker reads. */
  readonly pop: string;
  readonly options: Partial<WorkerOptions>;
  readonly shared?: Partial<SharedOptions>;
};

export const externalService = (port: number) => ({ external: { address: `127.0.0.1:${port}`, http: {} } });

/**
 * Runs a worker in workerd on a fixed port, without Miniflare's proxy in between, until it is asked to end. This process and workerd end
 * together, whichever of them is killed.
 */
export const runWorker = async ({ entry, port, kvPort, pop, options, shared }: WorkerLaunch): Promise<Miniflare> => {
  const [script, kvScript] = await Promise.all([bundleWorker(entry), bundleWorker("test/lab/kv/worker.ts")]);
  await stop();
  const miniflare = new Miniflare({
    ...shared,
    cf: false,
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      stdout.pipe(process.stdout);
      stderr.pipe(process.stderr);
      stdout.once("end", () => process.exit(1));
    },
    workers: [
      {
        ...options,
        ...COMPATIBILITY,
        name: "worker",
        modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
        wrappedBindings: { ROUTES: "kv" },
        unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      } as WorkerOptions,
      {
        name: "kv",
        modules: [{ type: "ESModule", path: "kv.mjs", contents: kvScript }],
        serviceBindings: { KV: externalService(kvPort) },
        bindings: { POP: pop },
      },
    ],
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => miniflare.dispose().then(() => process.exit(0)));
  await miniflare.ready;
  endWithThis(Number(readFileSync(process.env["WORKERD_PID_FILE"] ?? "", "utf8")));
  return miniflare;
};
