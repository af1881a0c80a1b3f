import type { MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { topicOf } from "#schema/domain/topic.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { admitted, connectTo } from "./support/mqtt.ts";
import { until } from "./support/until.ts";
import { freshVins } from "./support/vins.ts";
import { createWorld, type World } from "./support/world.ts";

const VEHICLES = 20;
const ACKNOWLEDGED = 2_000;
const IN_FLIGHT = 8;
const CONNECT_WITHIN_MS = 15_000;

let lab: Lab;
let world: World;
let vins: readonly Vin[];
let cell: string;

beforeAll(async () => {
  lab = await startLab({ cells: 1 });
  world = await createWorld(lab.file);
  vins = freshVins(VEHICLES);
  const routes = await Promise.all(vins.map((vin) => world.resolve(vin)));
  cell = routes[0]?.cell ?? "";
  await Promise.all(vins.map((vin) => world.untilSynced(vin, cell)));
});
afterAll(() => lab?.stop());

const connect = async (vin: Vin): Promise<MqttClient> =>
  admitted({ url: world.cellOf(cell).mqtt, vin, password: await world.deviceToken(vin) });

/** Publishes until the connection ends; answers the ids that were acknowledged. */
const publishUntilCut = async (vin: Vin, client: MqttClient, onAcknowledged: () => void): Promise<Set<string>> => {
  const acknowledged = new Set<string>();
  let serial = 0;
  const publishing = async () => {
    while (client.connected || serial === 0) {
      const id = `crash-${serial++}`;
      await client.publishAsync(topicOf(vin, "telemetry"), JSON.stringify({ id, speed: serial }), { qos: 1 });
      acknowledged.add(id);
      onAcknowledged();
    }
  };
  const cut = new Promise<void>((resolve) => client.once("close", resolve));
  const lanes = Promise.allSettled(Array.from({ length: IN_FLIGHT }, publishing));
  await cut;
  client.end(true);
  await Promise.race([lanes, cut]);
  return acknowledged;
};

test("I7: after kill -9 of a cell under load every acknowledged message is there, once", async () => {
  const clients = await Promise.all(vins.map(connect));
  let count = 0;
  const runs = vins.map((vin, index) => publishUntilCut(vin, clients[index] as MqttClient, () => count++));
  await until("the cell is under load", 30_000, () => count >= ACKNOWLEDGED);
  await lab.process(cell).kill();
  const acknowledged = await Promise.all(runs);
  await lab.process(cell).start();
  await until("the cell is ready", 30_000, async () => (await world.health(world.cellOf(cell).http)) === 200);

  const missing: string[] = [];
  for (const [index, vin] of vins.entries()) {
    const stored = await world.stored(vin, cell);
    expect(new Set(stored).size, vin).toBe(stored.length);
    missing.push(...[...(acknowledged[index] ?? [])].filter((id) => !stored.includes(id)));
  }
  expect(count).toBeGreaterThanOrEqual(ACKNOWLEDGED);
  expect(missing).toEqual([]);
});

test("I4: with control-worker dead as well a restarted cell admits its vehicles within 15 s of its start", async () => {
  await Promise.all([lab.process("control").kill(), lab.process(cell).kill()]);
  const start = lab.process(cell).start();
  await until("every vehicle is admitted", CONNECT_WITHIN_MS, async () => {
    const attempts = await Promise.all(
      vins.map(async (vin) => connectTo({ url: world.cellOf(cell).mqtt, vin, password: await world.deviceToken(vin) })),
    );
    for (const attempt of attempts) if (attempt.kind === "admitted") attempt.client.end(true);
    return attempts.every(({ kind }) => kind === "admitted");
  });
  await start;
  await lab.process("control").start();
});
