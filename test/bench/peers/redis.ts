import { createClient } from "@redis/client";
import { freePort } from "../free-port.ts";
import { type Server, startServer } from "../server-process.ts";

const BATCH = 10_000;

/** Redis in memory only, with one value a VIN. */
export const startRedis = async (binary: string, vins: readonly string[], value: string): Promise<Server> => {
  const port = await freePort();
  const server = await startServer("redis-server", port, [
    binary,
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
  ]);
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
  for (let from = 0; from < vins.length; from += BATCH) {
    await client.mSet(vins.slice(from, from + BATCH).map((vin): [string, string] => [vin, value]));
  }
  await client.close();
  return server;
};
