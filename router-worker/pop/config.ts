import process from "node:process";
import * as z from "zod";
import { LOG_LEVELS } from "#schema/http/log.ts";

const Variables = z.object({
  POP_ID: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/),
  /** JSON `[{"id", "secret"}]`, the current pepper first. */
  PEPPERS: z.string().min(1),
  /** Base URLs of the control-workers, comma separated; each is asked when the one before it is away. */
  CONTROL_URLS: z.string().min(1),
  /** One use: registers the key that is made at the first start. */
  JOIN_TOKEN: z.string().optional(),
  DATA_DIR: z.string().default("./pop-data"),
  HOST: z.string().default("0.0.0.0"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  FEED_INTERVAL_MS: z.coerce.number().int().min(100).default(1_000),
  SAVE_INTERVAL_MS: z.coerce.number().int().min(1_000).default(60_000),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
});

const Peppers = z.tuple(
  [z.object({ id: z.string(), secret: z.string().min(32) })],
  z.object({ id: z.string(), secret: z.string().min(32) }),
);

/** The configuration of a self-hosted POP, read from the environment once. Throws with the names of what is missing. */
export const readPopConfig = () => {
  const variables = Variables.parse(process.env);
  return {
    popId: variables.POP_ID,
    peppers: Peppers.parse(JSON.parse(variables.PEPPERS)),
    controlUrls: variables.CONTROL_URLS.split(",").map((url) => url.trim().replace(/\/$/, "")),
    joinToken: variables.JOIN_TOKEN,
    dataDir: variables.DATA_DIR,
    host: variables.HOST,
    port: variables.PORT,
    feedIntervalMs: variables.FEED_INTERVAL_MS,
    saveIntervalMs: variables.SAVE_INTERVAL_MS,
    logLevel: variables.LOG_LEVEL,
  };
};
export type PopConfig = ReturnType<typeof readPopConfig>;
