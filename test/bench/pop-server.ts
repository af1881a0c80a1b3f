import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CellId } from "#schema/domain/cell.ts";
import { saveReplica } from "../../router-worker/store/replica/replica-file.ts";
import { createReplicaTable } from "../../router-worker/store/replica/replica-table.ts";
import { ROOT } from "../lab/paths.ts";
import { commandOn, type PopRuntime } from "../lab/pop-runtimes.ts";
import { waitUntil } from "../lab/wait-until.ts";
import type { EdgeFleet } from "./edge-fleet.ts";
import { freePort } from "./free-port.ts";
import { type Server, startServer } from "./server-process.ts";

const WORDS = 4;
const FILL_BYTES = 64_000;

/** Adds vehicles with random keys until the table has `size`. */
const fill = (table: ReturnType<typeof createReplicaTable>, size: number, cell: CellId): void => {
  const words = new Uint32Array(FILL_BYTES / 4);
  for (let left = size - table.size(); left > 0; ) {
    crypto.getRandomValues(words);
    for (let at = 0; at < words.length && left > 0; at += WORDS, left--) table.putPacked(words.subarray(at, at + WORDS), 1, cell);
  }
};

/** The data folder of a POP that once copied a fleet, `size` vehicles in all. */
export const writePopData = async (folder: string, fleet: EdgeFleet, size: number): Promise<void> => {
  const table = createReplicaTable(size);
  for (const { vinKey } of fleet.vehicles) table.put(vinKey, fleet.record);
  fill(table, size, fleet.record.cell);
  mkdirSync(folder, { recursive: true });
  const topology = JSON.stringify(fleet.topology);
  await saveReplica(join(folder, "replica.gz"), { table, cursor: "bench", confirmedAtMs: Date.now(), topology });
  writeFileSync(join(folder, "pop-key.json"), fleet.variables.POP_PRIVATE_JWK);
};

/** A self-hosted POP on a runtime, started from its file; control is away, as a hot edge may have it (invariant I4). */
export const startPop = async (runtime: PopRuntime, dataDir: string, { variables }: EdgeFleet): Promise<Server> => {
  const port = await freePort();
  const argv = commandOn(runtime, join(ROOT, "router-worker/pop/main.ts"));
  const server = await startServer(`the POP on ${runtime}`, port, argv, {
    ...{ POP_ID: variables.POP_ID, PEPPERS: variables.PEPPERS, CONTROL_URLS: "http://127.0.0.1:1", LOG_LEVEL: "info" },
    ...{ DATA_DIR: dataDir, HOST: "127.0.0.1", PORT: String(port) },
  });
  await waitUntil("the POP is ready", async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
  return server;
};
