import type { Hono } from "hono";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { createLogger } from "#schema/http/log.ts";
import { createApp } from "./app.ts";
import { parseConfig } from "./config.ts";
import { type Env, ledgerOf } from "./env.ts";
import { databaseOf, openClient } from "./store/database.ts";

export { Ledger } from "./ledger/object.ts";

const start = (env: Env): Hono => {
  const config = parseConfig(env);
  const logger = createLogger("control-worker", config.logLevel);
  const vinKeyer = createVinKeyer(config.peppers[0].secret);
  return createApp(logger, () => ({
    database: databaseOf(openClient({ url: config.databaseUrl, token: config.databaseToken })),
    ledger: ledgerOf(env, logger),
    routes: env.ROUTES,
    config,
    vinKeyer,
    logger,
    clock: Date.now,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    fetch: (url, init) => fetch(url, init),
  }));
};

let app: Hono | null = null;
const appOf = (env: Env): Hono => {
  app ??= start(env);
  return app;
};

export default {
  fetch: (request: Request, env: Env) => appOf(env).fetch(request),
  /** Wakes the ledger, whose alarm drives everything else. */
  scheduled: async (_: unknown, env: Env): Promise<void> => {
    await env.LEDGER.get(env.LEDGER.idFromName("ledger")).status();
  },
};
