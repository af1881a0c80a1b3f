import process from "node:process";
import { createLogger } from "#schema/http/log.ts";
import { createApp } from "../app.ts";
import { readPopConfig } from "./config.ts";
import { createPop } from "./pop.ts";
import { serve } from "./serve.ts";

const config = readPopConfig();
const logger = createLogger("router-pop", config.logLevel);
const stopping = new AbortController();
const pop = await createPop(config, logger);
const server = await serve(createApp(pop.deps).fetch, config.host, config.port);
logger.info("listening", { pop: config.popId, host: config.host, port: server.port });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());
await pop.run(stopping.signal);
await server.stop();
logger.info("stopped");
process.exit(0);
