import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { topicOf } from "#schema/domain/topic.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { resolveAtEdge } from "../fleet/resolve.ts";
import { parseSessionNotice } from "../fleet/session.ts";
import { createVehicle } from "../fleet/vehicle.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { admitted, refused } from "./support/mqtt.ts";
import { until } from "./support/until.ts";
import { freshVin } from "./support/vins.ts";
import { createWorld, problemOf, type World } from "./support/world.ts";

const KV_DELAY_SECONDS = 60;

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab({ cells: 2 });
  world = await createWorld(lab.file);
});
afterAll(() => lab?.stop());

const otherThan = (cell: string): string => world.file.cells.find(({ id }) => id !== cell)?.id ?? "";
const connectOf = async (vin: Vin, cell: string) => ({ url: world.cellOf(cell).mqtt, vin, password: await world.deviceToken(vin) });

/** A vehicle that the edge has answered from KV, re-assigned to the other cell while KV falls behind: both cells know, the edge does not. */
const reassigned = async () => {
  const vin = freshVin();
  await lab.setKnobs({ delaySeconds: 0 });
  await world.importLines(JSON.stringify({ vin }));
  const { vinKey } = await world.vehicle(vin);
  await until("its record is in KV", 15_000, () => lab.readRoute(vinKey));
  const { cell: from, epoch } = await world.resolve(vin);
  await world.untilSynced(vin, from);
  await lab.setKnobs({ delaySeconds: KV_DELAY_SECONDS });
  const to = otherThan(from);
  const patched = await world.admin("PATCH", `/v1/vehicles/${vin}`, { cell: to });
  expect(patched, JSON.stringify(patched.body)).toMatchObject({ status: 200, body: { cell: to, epoch: epoch + 1 } });
  await world.untilSynced(vin, to);
  const connect = await connectOf(vin, from);
  await until("the old cell knows", 15_000, async () => (await refused(connect)).code === 0x9d);
  expect(await world.resolve(vin), "the edge still answers what KV holds").toMatchObject({ cell: from, epoch });
  return { vin, from, to, epoch };
};

/** The reference client of the fleet, and what happened to it. */
const drive = async (vin: Vin, protocol: 4 | 5) => {
  const seen = { connected: [] as string[], refused: [] as (number | null)[], redirects: 0, minEpochs: [] as (number | null)[] };
  const token = await world.deviceToken(vin);
  const vehicle = createVehicle({
    vin,
    protocol,
    resolve: (minEpoch) => {
      if (seen.connected.length === 0) seen.minEpochs.push(minEpoch);
      return resolveAtEdge(world.file.routers, { token, minEpoch, nowMs: Date.now(), first: 0 });
    },
    deviceToken: async () => token,
    onCommand: async () => undefined,
    execute: async () => ({ state: "succeeded" }),
    observer: {
      onResolved: () => undefined,
      onResolveFailed: () => undefined,
      onConnected: (url) => seen.connected.push(url),
      onRefused: (code) => seen.refused.push(code),
      onRedirect: () => seen.redirects++,
      onAcknowledged: () => undefined,
      onRejected: () => undefined,
    },
    random: Math.random,
    now: Date.now,
  });
  vehicle.start();
  await until(`${vin} is connected`, 20_000, () => vehicle.isConnected);
  vehicle.stop();
  return seen;
};

describe("I5: re-assigned while KV is 60 s stale", () => {
  test("an MQTT 5 vehicle reaches its new cell by one reference", async () => {
    const { vin, to } = await reassigned();
    const seen = await drive(vin, 5);
    expect(seen).toEqual({ connected: [world.cellOf(to).mqtt], refused: [0x9d], redirects: 1, minEpochs: [null] });
  });

  test("an MQTT 3.1.1 vehicle reaches its new cell by resolving again with its minimum epoch", async () => {
    const { vin, to, epoch } = await reassigned();
    const seen = await drive(vin, 4);
    expect(seen).toEqual({ connected: [world.cellOf(to).mqtt], refused: [5], redirects: 0, minEpochs: [null, epoch + 1] });
  });

  test("a minimum epoch is answered past the stale copy, and a refusal says which epoch is known", async () => {
    const { vin, from, to, epoch } = await reassigned();
    expect(await world.resolve(vin, { minEpoch: epoch + 1 })).toMatchObject({ cell: to, epoch: epoch + 1 });
    expect(await refused(await connectOf(vin, from))).toMatchObject({
      code: 0x9d,
      reference: expect.stringContaining(new URL(world.cellOf(to).mqtt).host),
    });
  });
});

describe("I2: a vehicle with a live session is told to go when its cell hears of the new epoch", () => {
  const connected = async (protocol: 4 | 5) => {
    const vin = freshVin();
    const { cell } = await world.resolve(vin);
    await world.untilSynced(vin, cell);
    const client = await admitted({ ...(await connectOf(vin, cell)), protocol });
    const to = world.cellOf(otherThan(cell));
    const leave = async () => {
      expect(await world.admin("PATCH", `/v1/vehicles/${vin}`, { cell: to.id })).toMatchObject({ status: 200 });
      await until("the session has ended", 15_000, () => !client.connected);
      client.end(true);
    };
    return { vin, client, to, leave };
  };

  test("MQTT 5: by DISCONNECT 0x9D with a Server Reference", async () => {
    const { client, to, leave } = await connected(5);
    const told: unknown[] = [];
    client.on("disconnect", ({ reasonCode, properties }) => told.push(reasonCode, properties?.serverReference));
    await leave();
    expect(told).toEqual([0x9d, expect.stringContaining(new URL(to.mqtt).host)]);
  });

  test("MQTT 3.1.1: by its session topic, then the connection ends", async () => {
    const { vin, client, to, leave } = await connected(4);
    const told: unknown[] = [];
    client.on("message", (topic, payload) => told.push(topic, parseSessionNotice(payload.toString())));
    await client.subscribeAsync(topicOf(vin, "session"), { qos: 1 });
    await leave();
    const notice = { state: "moved", cell: to.id, epoch: 2, reference: expect.stringContaining(new URL(to.mqtt).host) };
    expect(told).toEqual([topicOf(vin, "session"), notice]);
  });
});

test("I12: a vehicle is not re-assigned outside its zone, and a patch that is refused changes nothing", async () => {
  const vin = freshVin();
  await world.importLines(`${JSON.stringify({ vin, zone: "eu" })}\n`);
  const before = await until("it has a cell", 10_000, async () => ((await world.vehicle(vin)).cell === null ? null : world.vehicle(vin)));
  const outside = world.file.cells.find(({ zone }) => zone !== "eu")?.id;
  const refusal = await world.admin("PATCH", `/v1/vehicles/${vin}`, { cell: outside });
  expect(problemOf(refusal)).toMatchObject({ status: 422, code: "zone_mismatch" });
  expect(await world.vehicle(vin)).toEqual(before);
});
