import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { type Server, startServer } from "../server-process.ts";

/** What the cold peer verifies with, signs with and says: the same as the POP. */
export type ColdWork = { readonly issuers: readonly string[]; readonly deviceJwk: string; readonly popJwk: string; readonly popId: string };

const start = async (program: string, env: Readonly<Record<string, string>>): Promise<Server> => {
  const port = await freePort();
  return startServer(program, port, [process.execPath, join(import.meta.dirname, program)], { ...env, PORT: String(port) });
};

/** Fastify that looks the VIN up in Redis and answers a 307. */
export const startFastifyHot = (redis: Server): Promise<Server> => start("fastify-hot.ts", { REDIS_PORT: String(redis.port) });

/** Fastify that verifies the device's JWT, looks its VIN up in Redis and answers with a signed ticket. */
export const startFastifyCold = (redis: Server, work: ColdWork): Promise<Server> =>
  start("fastify-cold.ts", { REDIS_PORT: String(redis.port), WORK: JSON.stringify(work) });
