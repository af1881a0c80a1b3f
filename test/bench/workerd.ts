import { readdirSync, readFileSync } from "node:fs";
import { Miniflare, type WorkerOptions } from "miniflare";
import { freePort } from "./free-port.ts";
import { pinProcess } from "./pin.ts";

export type DirectWorker = { readonly url: string; readonly miniflare: Miniflare; stop(): Promise<void> };

/** workerd processes that this process has started (Linux; elsewhere none, and nothing is pinned). */
const workerdChildren = (): number[] => {
  try {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => readFileSync(`/proc/${pid}/stat`, "utf8").startsWith(`${pid} (workerd) S ${process.pid} `)).map(Number);
  } catch {
    return [];
  }
};

/** One worker in a workerd of its own, reached on its direct socket: Miniflare's proxy costs a factor of three. */
export const startDirectWorker = async (options: WorkerOptions & { readonly name: string }): Promise<DirectWorker> => {
  const port = await freePort();
  const miniflare = new Miniflare({ workers: [{ ...options, unsafeDirectSockets: [{ host: "127.0.0.1", port }] }] });
  await miniflare.ready;
  for (const pid of workerdChildren()) pinProcess("server", pid);
  return { url: `http://127.0.0.1:${port}`, miniflare, stop: () => miniflare.dispose() };
};
