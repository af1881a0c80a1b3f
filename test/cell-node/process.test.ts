import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import mqtt from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureTls } from "../lab/tls/ensure-tls.ts";
import { environmentOf, newFolder, removeFolder, SELF, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { codeOf, connectPacketOf, connectRaw } from "./support/mqtt.ts";
import { assigned, deviceTokenFor, newVehicle, ownerTokenFor } from "./support/vehicles.ts";

const ROOT = join(import.meta.dirname, "../..");
const NODE = join(ROOT, "node_modules/.bin/node");

let control: Control;
let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  control = await startControl();
  folder = await newFolder();
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await control.stop();
  await removeFolder(folder);
});

/** The program itself, as the container starts it. */
const startProgram = async (environment: Record<string, string> = {}) => {
  const env = { ...process.env, ...environmentOf(control.url, folder), LOG_LEVEL: "info", ...environment };
  const child = spawn(NODE, [join(ROOT, "cell-node/index.ts")], { env, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line) as { message: string; http: number; mqtt: number; mqtts: number };
    if (entry.message === "cell started") return { child, ...entry, http: `http://127.0.0.1:${entry.http}` };
  }
  throw new Error("the cell did not start");
};

test("SIGTERM: MQTT 5 hears 0x8B, what was acknowledged is stored, the process ends with 0", async () => {
  const vehicle = await newVehicle();
  control.assign(assigned(vehicle, SELF, 1));
  const first = await startProgram();
  await untilReady(first.http);
  const { client, connack } = await connectRaw(first.mqtt, connectPacketOf(vehicle, 5, await deviceTokenFor(control, vehicle)));
  expect(codeOf(connack)).toBe(0);
  client.send({
    cmd: "publish",
    topic: `v1/${vehicle.vin}/telemetry`,
    payload: '{"n":1}',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  });
  await client.next("puback");
  first.child.kill("SIGTERM");
  expect(await client.next("disconnect")).toMatchObject({ reasonCode: 0x8b });
  expect(await once(first.child, "exit")).toEqual([0, null]);
  const second = await startProgram();
  await untilReady(second.http);
  const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
  const response = await fetch(`${second.http}/v1/vehicles/${vehicle.vin}/telemetry`, { headers: { authorization } });
  expect(((await response.json()) as { items: { payload: unknown }[] }).items.map(({ payload }) => payload)).toEqual([{ n: 1 }]);
}, 30_000);

test("a fault in the environment is named, and the process ends with 1", async () => {
  const env = { ...process.env, ...environmentOf(control.url, folder), CELL_ID: "Not An Id" };
  const child = spawn(NODE, [join(ROOT, "cell-node/index.ts")], { env, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  expect(output.toString()).toContain("CELL_ID");
  expect(await once(child, "exit")).toEqual([1, null]);
});

test("TLS: a stock client connects to the TLS listener; there is no plain one unless asked for", async () => {
  const tls = ensureTls(folder, Date.now());
  const files = { TLS_CERT_FILE: tls.certificate, TLS_KEY_FILE: tls.key };
  const vehicle = await newVehicle();
  control.assign(assigned(vehicle, SELF, 1));
  const cell = await startProgram({ ...files, MQTT_TLS_PORT: "0", MQTT_PLAIN_PORT: "" });
  expect(cell.mqtt).toBeUndefined();
  await untilReady(cell.http);
  const client = await mqtt.connectAsync(`mqtts://localhost:${cell.mqtts}`, {
    ...{ protocolVersion: 5, clientId: vehicle.vin, username: vehicle.vin, reconnectPeriod: 0 },
    ...{ password: await deviceTokenFor(control, vehicle), ca: await readFile(tls.ca, "utf8") },
  });
  await client.publishAsync(`v1/${vehicle.vin}/telemetry`, "{}", { qos: 1 });
  await client.endAsync();
}, 30_000);
