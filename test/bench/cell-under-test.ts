import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AdminClient } from "../lab/admin-client.ts";
import { waitUntil } from "../lab/wait-until.ts";
import { freePort } from "./free-port.ts";

export type CellUnderTest = {
  readonly id: string;
  readonly zone: string;
  readonly pid: number;
  readonly mqttPort: number;
  readonly https: string;
  stop(): Promise<void>;
};

const ROOT = join(import.meta.dirname, "../..");
const ID = "cell-bench";
const ZONE = "eu";
/** The connect budget is not what is measured. */
const NO_BUDGET = { CONNECT_RATE: "1000000", CONNECT_BURST: "1000000" };

const stopped = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });

/** A cell of its own beside the lab's, without a connect budget; joined and active when this returns. */
export const startCellUnderTest = async (admin: AdminClient, control: string, folder: string): Promise<CellUnderTest> => {
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const https = `http://127.0.0.1:${httpPort}`;
  const joinToken = await admin.createJoinToken({
    ...{ kind: "cell", region: "eu-central", zone: ZONE, endpointSuffixes: ["127.0.0.1"], autoApprove: true },
  });
  mkdirSync(folder, { recursive: true });
  const child = spawn(process.execPath, [join(ROOT, "cell-node/index.ts")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...{ PATH: process.env["PATH"], ...NO_BUDGET, LOG_LEVEL: "warn" },
      ...{ CELL_ID: ID, CELL_REGION: "eu-central", CELL_ZONE: ZONE, CONTROL_URLS: control, JOIN_TOKEN: joinToken, DATA_DIR: folder },
      ...{ HTTP_HOST: "127.0.0.1", HTTP_PORT: String(httpPort), MQTT_PLAIN_PORT: String(mqttPort) },
      ...{ PUBLIC_MQTT_URL: `mqtt://127.0.0.1:${mqttPort}`, PUBLIC_HTTPS_URL: https },
    },
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const log = createWriteStream(join(folder, "cell.log"));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  await waitUntil("the cell under test is active", async () => {
    if (child.exitCode !== null) throw new Error(`the cell ended with ${child.exitCode}: see ${folder}/cell.log`);
    return (await admin.cell(ID))?.state === "active";
  });
  return { id: ID, zone: ZONE, pid: child.pid ?? 0, mqttPort, https, stop: () => stopped(child) };
};
