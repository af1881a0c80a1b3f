import type { ISubackPacket } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newFolder, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { connectPacketOf, connectRaw, type Protocol, type RawClient } from "./support/mqtt.ts";
import { newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cell: TestCell;

beforeAll(async () => {
  control = await startControl();
  folder = await newFolder();
  cell = await startTestCell(control.url, folder);
  await untilReady(cell.http);
});
afterAll(async () => {
  await cell.stop();
  await control.stop();
  await removeFolder(folder);
});

const connect = async (protocol: Protocol): Promise<{ vehicle: TestVehicle; client: RawClient }> => {
  const vehicle = await newVehicle();
  const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
  return { vehicle, client: (await connectRaw(cell.mqttPort, connectPacketOf(vehicle, protocol, password))).client };
};

const publish = (client: RawClient, topic: string, payload: string, more: object = {}) =>
  client.send({ cmd: "publish", topic, payload, qos: 1, messageId: 7, dup: false, retain: false, ...more });

const telemetryOf = async (vehicle: TestVehicle): Promise<unknown[]> => {
  const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
  const response = await fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/telemetry`, { headers: { authorization } });
  return ((await response.json()) as { items: { payload: unknown }[] }).items.map(({ payload }) => payload);
};

const STRANGER = "WVWZZZ1JZXW000001";
const FORBIDDEN_TOPICS: readonly ((vin: string) => string)[] = [
  (vin) => `v1/${vin}/commands`,
  (vin) => `v1/${vin}/session`,
  (vin) => `v1/${vin}/twin/desired`,
  (vin) => `v1/${vin}/unknown`,
  (vin) => `v1/${vin}/commands/a/b/result`,
  (vin) => `v2/${vin}/telemetry`,
  (vin) => `/v1/${vin}/telemetry`,
  () => `v1/${STRANGER}/telemetry`,
  () => `v1/${STRANGER}/commands/abc/result`,
  () => "$SYS/broker/uptime",
  () => "telemetry",
];

describe("I8: a vehicle publishes on its own topics upwards only", () => {
  test.each(FORBIDDEN_TOPICS.map((topic) => [topic(STRANGER.replace("1J", "{vin}")), topic] as const))("%s", async (_, topicOf) => {
    const five = await connect(5);
    publish(five.client, topicOf(five.vehicle.vin), "{}");
    expect(await five.client.next("puback")).toMatchObject({
      messageId: 7,
      reasonCode: 0x87,
      properties: { reasonString: expect.any(String) },
    });
    publish(five.client, `v1/${five.vehicle.vin}/telemetry`, "{}", { messageId: 8 });
    expect(await five.client.next("puback")).toMatchObject({ messageId: 8, reasonCode: 0 });
    five.client.destroy();

    const four = await connect(4);
    publish(four.client, topicOf(four.vehicle.vin), "{}");
    expect(await four.client.next("puback")).toBeNull();
  });

  test("the topic is looked at after its alias is resolved", async () => {
    const { vehicle, client } = await connect(5);
    const properties = { topicAlias: 1 };
    publish(client, `v1/${vehicle.vin}/telemetry`, '{"n":1}', { properties });
    expect(await client.next("puback")).toMatchObject({ reasonCode: 0 });
    publish(client, "", '{"n":2}', { properties, messageId: 8 });
    expect(await client.next("puback")).toMatchObject({ reasonCode: 0 });
    publish(client, `v1/${vehicle.vin}/commands`, "{}", { properties: { topicAlias: 2 }, messageId: 9 });
    expect(await client.next("puback")).toMatchObject({ reasonCode: 0x87 });
    publish(client, "", "{}", { properties: { topicAlias: 2 }, messageId: 10 });
    expect(await client.next("puback")).toMatchObject({ messageId: 10, reasonCode: 0x87 });
    expect(await telemetryOf(vehicle)).toEqual([{ n: 1 }, { n: 2 }]);
    client.destroy();
  });

  test("acknowledgements come in the order of the messages, refused ones too [MQTT-4.6.0-2]", async () => {
    const { vehicle, client } = await connect(5);
    const own = `v1/${vehicle.vin}/telemetry`;
    const topics = [own, "elsewhere", own, own, "elsewhere"];
    for (const [index, topic] of topics.entries()) publish(client, topic, JSON.stringify({ index }), { messageId: index + 1 });
    for (const [index, topic] of topics.entries()) {
      expect(await client.next("puback")).toMatchObject({ messageId: index + 1, reasonCode: topic === own ? 0 : 0x87 });
    }
    client.destroy();
  });

  test("who asked for no problem information gets the code without the reason [MQTT-3.1.2-29]", async () => {
    const vehicle = await newVehicle();
    const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    const properties = { requestProblemInformation: false };
    const { client } = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, password, { properties }));
    publish(client, "elsewhere", "{}");
    const puback = await client.next("puback");
    expect([puback?.reasonCode, puback?.properties]).toEqual([0x87, undefined]);
    client.destroy();
  });

  test("a will is stored like any other telemetry when the vehicle is cut off", async () => {
    const vehicle = await newVehicle();
    const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    const will = { topic: `v1/${vehicle.vin}/telemetry`, payload: Buffer.from('{"lost":true}'), qos: 1 as const, retain: false };
    const { client } = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, password, { will }));
    client.destroy();
    await expect.poll(() => telemetryOf(vehicle)).toEqual([{ lost: true }]);
  });
});

const FORBIDDEN_FILTERS: readonly ((vin: string) => string)[] = [
  (vin) => `v1/${vin}/telemetry`,
  (vin) => `v1/${vin}/#`,
  (vin) => `v1/${vin}/+`,
  () => `v1/${STRANGER}/commands`,
  () => "v1/+/commands",
  () => "#",
  () => "+/+/commands",
  () => "$SYS/#",
  (vin) => `$share/group/v1/${vin}/commands`,
];

describe("I8: a vehicle subscribes to its own topics downwards only", () => {
  const subscribe = async (protocol: Protocol, filterOf: (vin: string) => string): Promise<ISubackPacket["granted"]> => {
    const { vehicle, client } = await connect(protocol);
    const subscriptions = [filterOf(vehicle.vin), `v1/${vehicle.vin}/commands`].map((topic) => ({ topic, qos: 1 as const }));
    client.send({ cmd: "subscribe", messageId: 3, subscriptions });
    const suback = await client.next("suback");
    client.destroy();
    return suback?.granted ?? [];
  };

  test.each(FORBIDDEN_FILTERS.map((filter) => [filter("{vin}"), filter] as const))("%s", async (_, filterOf) => {
    const [five, own] = await subscribe(5, filterOf);
    expect(five).toBeGreaterThanOrEqual(0x87);
    expect(own).toBe(1);
    expect(await subscribe(4, filterOf)).toEqual([0x80, 1]);
  });
});
