import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import { createLogger } from "#schema/http/log.ts";
import { type Cell, startCell } from "../../../cell-node/cell.ts";
import { LIMITS, parseConfig } from "../../../cell-node/config.ts";

const cellId = (text: string): CellId => {
  const id = parseCellId(text);
  if (id === null) throw new Error(text);
  return id;
};

export const SELF = cellId("cell-a");
export const OTHER = cellId("cell-b");
export const OTHER_ENDPOINTS = { mqtt: "mqtt://127.0.0.1:2884", mqttWs: null, https: "http://127.0.0.1:9801" };

export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "cloverleaf-cell-"));
export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

export const environmentOf = (controlUrls: string, folder: string): Record<string, string> => ({
  CELL_ID: SELF,
  CELL_REGION: "eu-west",
  CONTROL_URLS: controlUrls,
  JOIN_TOKEN: "a-join-token",
  DATA_DIR: folder,
  HTTP_HOST: "127.0.0.1",
  HTTP_PORT: "0",
  MQTT_PLAIN_PORT: "0",
  PUBLIC_MQTT_URL: "mqtt://127.0.0.1:1884",
  PUBLIC_HTTPS_URL: "http://127.0.0.1:8801",
  CONNECT_RATE: "100000",
  CONNECT_BURST: "100000",
  LOG_LEVEL: "error",
});

/** The cell's paces, quicker: tests wait for what happens, not for the clock. */
const QUICK = { ...LIMITS, syncMs: 100, syncTimeoutMs: 1_000, retryMs: 200, silenceMs: 1_500, connectMs: 500 };

export type TestCell = { readonly cell: Cell; readonly http: string; readonly mqttPort: number; stop(): Promise<void> };

/** A cell in this process, on ports of its own. */
export const startTestCell = async (controlUrls: string, folder: string, environment: Record<string, string> = {}): Promise<TestCell> => {
  const config = parseConfig({ ...environmentOf(controlUrls, folder), ...environment });
  const logger = createLogger("cell-node", config.logLevel);
  const cell = await startCell(config, { limits: QUICK, logger, onFatal: (error) => logger.error("fatal", { error }) });
  return { cell, http: `http://127.0.0.1:${cell.ports.http}`, mqttPort: cell.ports.plain ?? 0, stop: () => cell.stop() };
};

/** Polls until it holds; a condition that never does fails the test by its time limit. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

export const untilReady = (http: string): Promise<void> =>
  until(async () => (await fetch(`${http}/readyz`).catch(() => null))?.status === 200);
