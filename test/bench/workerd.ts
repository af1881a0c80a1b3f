import { Miniflare, type WorkerOptions } from "miniflare";
import { freePort } from "./free-port.ts";
import { pinProcess } from "./pin.ts";
import { outputOf } from "./tools.ts";

export type DirectWorker = { readonly pid: number; readonly url: string; readonly miniflare: Miniflare; stop(): Promise<void> };

/** workerd processes that this process has started (Linux; elsewhere none, and nothing is pinned or read). */
const workerdChildren = (): number[] => {
  const listed = outputOf("pgrep", ["-P", String(process.pid), "workerd"]);
  return (listed ?? "")
    .split("\n")
    .filter((pid) => pid !== "")
    .map(Number);
};

type NamedWorker = WorkerOptions & { readonly name: string };

/** One worker in a workerd of its own, with those it is bound to, reached on its direct socket: Miniflare's proxy costs a factor of three. */
export const startDirectWorker = async (options: NamedWorker, bound: readonly NamedWorker[] = []): Promise<DirectWorker> => {
  const port = await freePort();
  const others = workerdChildren();
  const miniflare = new Miniflare({
    workers: [{ ...options, unsafeDirectSockets: [{ host: "127.0.0.1", port }] }, ...bound],
    // Logs are written as always, and read to nowhere.
    handleRuntimeStdio: (stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) => {
      stdout.resume();
      stderr.resume();
    },
  });
  await miniflare.ready;
  const pid = workerdChildren().find((child) => !others.includes(child)) ?? 0;
  pinProcess("server", pid);
  return { pid, url: `http://127.0.0.1:${port}`, miniflare, stop: () => miniflare.dispose() };
};
