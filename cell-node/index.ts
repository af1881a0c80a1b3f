import { createLogger } from "#schema/http/log.ts";
import { startCell } from "./cell.ts";
import { parseConfig } from "./config.ts";

const STOP_WITHIN_MS = 9_500;

const fail = (error: unknown): never => {
  createLogger("cell-node").error("cell cannot run", { error });
  process.exit(1);
};

const run = async (): Promise<void> => {
  const config = parseConfig(process.env);
  const logger = createLogger("cell-node", config.logLevel);
  const cell = await startCell(config, { logger, onFatal: fail });
  const stop = (): void => {
    setTimeout(() => fail(new Error("draining took too long")), STOP_WITHIN_MS).unref();
    cell.stop().then(() => process.exit(0), fail);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
};

run().catch(fail);
