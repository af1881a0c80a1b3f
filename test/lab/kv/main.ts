import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { createKvApp } from "./app.ts";
import { openJournal } from "./journal.ts";

/** The KV process: `KV_PORT` on the loopback, `KV_FILE` for what it holds. */
const port = Number(process.env["KV_PORT"]);
const journal = openJournal(process.env["KV_FILE"] ?? "kv.ndjson");
const app = createKvApp({ journal, nowMs: Date.now, random: Math.random, sleep: (ms) => sleep(ms) });

/** workerd keeps an idle connection 5 s; were that the time here too, calls would meet a connection that is just being closed. */
const serverOptions = { keepAliveTimeout: 75_000 };
const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port, serverOptions }, () => console.log(`kv: http://127.0.0.1:${port}`));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}
