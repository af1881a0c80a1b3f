import * as z from "zod";
import { runWorker } from "./run-worker.ts";

const Launch = z.object({
  port: z.int(),
  kvPort: z.int(),
  pop: z.string(),
  ledgerFolder: z.string(),
  variables: z.record(z.string(), z.string()),
});

/** The pace of the trigger in wrangler.toml. */
const CRON = "* * * * *";
const CRON_MS = 60_000;

const { ledgerFolder, variables, ...launch } = Launch.parse(JSON.parse(process.env["WORKER"] ?? ""));
const miniflare = await runWorker({
  ...launch,
  entry: "control-worker/index.ts",
  options: {
    bindings: variables,
    durableObjects: { LEDGER: { className: "Ledger", useSQLite: true } },
  },
  shared: { durableObjectsPersist: ledgerFolder },
});

const worker = await miniflare.getWorker("worker");
const trigger = () =>
  worker.scheduled({ cron: CRON, scheduledTime: new Date() }).catch((error: unknown) => console.error("the cron trigger failed", error));
await trigger();
setInterval(trigger, CRON_MS);
