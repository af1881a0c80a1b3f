import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import type { MqttClient } from "mqtt";
import mqttPacket from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resultTopicOf, topicOf } from "#schema/domain/topic.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { forge, pairOf } from "../crypto/tokens.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { admitted, type connectTo, refused } from "./support/mqtt.ts";
import { until } from "./support/until.ts";
import { freshVin } from "./support/vins.ts";
import { createWorld, type World } from "./support/world.ts";

let lab: Lab;
let world: World;
let own: Vin;
let other: Vin;
let cell: string;
let url: string;
let password: string;

beforeAll(async () => {
  lab = await startLab({ cells: 1 });
  world = await createWorld(lab.file);
  [own, other] = [freshVin(), freshVin()];
  ({ cell } = await world.resolve(own));
  await world.resolve(other);
  url = world.cellOf(cell).mqtt;
  password = await world.deviceToken(own);
  await Promise.all([world.untilSynced(own, cell), world.untilSynced(other, cell)]);
});
afterAll(() => lab?.stop());

/** The reason code with which an MQTT 5 broker answered; 0 for success. */
const codeOf = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => 0,
    (error: unknown) => (error as { code?: unknown }).code,
  );

/** The SUBACK's reason code; mqtt.js keeps it from its callers. */
const subscribeCode = (client: MqttClient, topic: string): Promise<unknown> =>
  new Promise((resolve) => {
    const onPacket: Parameters<typeof client.on<"packetreceive">>[1] = (packet) => {
      if (packet.cmd !== "suback") return;
      client.off("packetreceive", onPacket);
      resolve(packet.granted[0]);
    };
    client.on("packetreceive", onPacket);
    client.subscribe(topic, { qos: 1 }, () => undefined);
  });

describe("I8: CONNECT", () => {
  const sign = async (changes: Readonly<Record<string, unknown>>) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: world.file.device.issuer, sub: own, aud: "cloverleaf-cell", iat: now, exp: now + 600, ...changes };
    return forge(await pairOf(world.file.device.privateJwk), claims);
  };

  test.each<readonly [string, () => Promise<Parameters<typeof connectTo>[0]>, number, number]>([
    ["no credential", async () => ({ url, vin: own, password: "" }), 0x86, 4],
    ["nonsense for a credential", async () => ({ url, vin: own, password: "nonsense" }), 0x86, 4],
    ["an expired credential", async () => ({ url, vin: own, password: await sign({ iat: 1, exp: 600 }) }), 0x86, 4],
    ["a credential for the router only", async () => ({ url, vin: own, password: await sign({ aud: "cloverleaf" }) }), 0x86, 4],
    [
      "a credential for more than 7 days",
      async () => ({ url, vin: own, password: await sign({ exp: Date.now() / 1000 + 8 * 86_400 }) }),
      0x86,
      4,
    ],
    ["another vehicle's client id", async () => ({ url, vin: own, password, clientId: other }), 0x85, 2],
    ["another vehicle's user name", async () => ({ url, vin: own, password, userName: other }), 0x85, 2],
    ["another vehicle's name and id", async () => ({ url, vin: other, password }), 0x85, 2],
    ["a will on another vehicle's topic", async () => ({ url, vin: own, password, will: topicOf(other, "telemetry") }), 0x87, 5],
    ["a will on its own commands", async () => ({ url, vin: own, password, will: topicOf(own, "commands") }), 0x87, 5],
  ])("with %s is refused in both protocols", async (_, connect, reasonCode, returnCode) => {
    const refusal = await refused({ ...(await connect()), protocol: 5 });
    expect([refusal.code, (refusal.reason ?? "").length > 10]).toEqual([reasonCode, true]);
    expect((await refused({ ...(await connect()), protocol: 4 })).code).toBe(returnCode);
  });
});

describe("I8: a vehicle reaches its own topics only, each in its own direction", () => {
  test("publishing elsewhere is answered 0x87 and stores nothing", async () => {
    const client = await admitted({ url, vin: own, password });
    const before = await world.stored(other, cell);
    const topics = [
      topicOf(other, "telemetry"),
      topicOf(other, "commands"),
      resultTopicOf(other, "1"),
      topicOf(own, "commands"),
      topicOf(own, "session"),
      topicOf(own, "twin/desired"),
      `v1/${own}/unknown`,
      "$SYS/broker",
    ];
    const codes = await Promise.all(topics.map((topic) => codeOf(client.publishAsync(topic, '{"id":"foreign"}', { qos: 1 }))));
    expect(codes).toEqual(topics.map(() => 0x87));
    expect(client.connected).toBe(true);
    await client.endAsync();
    expect(await world.stored(other, cell)).toEqual(before);
    expect(await world.stored(own, cell)).not.toContain("foreign");
  });

  test("subscribing elsewhere is refused", async () => {
    const client = await admitted({ url, vin: own, password });
    const topics = [
      topicOf(other, "commands"),
      "#",
      "v1/+/commands",
      `v1/${own}/#`,
      topicOf(own, "telemetry"),
      `$share/g/${topicOf(own, "commands")}`,
      "$SYS/#",
    ];
    for (const topic of topics) expect(Number(await subscribeCode(client, topic)), topic).toBeGreaterThanOrEqual(0x80);
    expect(await subscribeCode(client, topicOf(own, "commands"))).toBe(1);
    await client.endAsync();
  });
});

describe("I7: a payload that is no telemetry", () => {
  const payloads: readonly (readonly [string, string | Buffer])[] = [
    ["no JSON", "speed=100"],
    ["nothing", ""],
    ["a number", "100"],
    ["half of it", '{"speed":'],
    ["no UTF-8", Buffer.of(0x7b, 0xff, 0x7d)],
    ["an id that is none", '{"id":{}}'],
  ];

  test("is answered 0x99 under MQTT 5 and not stored; the session goes on", async () => {
    const client = await admitted({ url, vin: own, password });
    const before = await world.stored(own, cell);
    for (const [why, payload] of payloads)
      expect(await codeOf(client.publishAsync(topicOf(own, "telemetry"), payload, { qos: 1 })), why).toBe(0x99);
    expect(await world.stored(own, cell)).toEqual(before);
    expect(await codeOf(client.publishAsync(topicOf(own, "telemetry"), '{"id":"good-5"}', { qos: 1 }))).toBe(0);
    await client.endAsync();
    expect(await world.stored(own, cell)).toContain("good-5");
  });

  test("is not telemetry under MQTT 3.1.1 either, which cannot say so; the session goes on", async () => {
    const client = await admitted({ url, vin: own, password, protocol: 4 });
    const before = await world.stored(own, cell);
    for (const [, payload] of payloads) await client.publishAsync(topicOf(own, "telemetry"), payload, { qos: 1 });
    expect(await world.stored(own, cell)).toEqual(before);
    expect(await codeOf(client.publishAsync(topicOf(own, "telemetry"), '{"id":"good-4"}', { qos: 1 }))).toBe(0);
    await client.endAsync();
    expect(await world.stored(own, cell)).toContain("good-4");
  });
});

describe("the gateway's guard", () => {
  const MEGABYTE = 2 ** 20;
  const open = async (): Promise<Socket> => {
    const { hostname, port } = new URL(url);
    const socket = dial({ host: hostname, port: Number(port) });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };

  const closed = (socket: Socket, withinMs: number) => until("the connection is closed", withinMs, () => socket.closed);

  test("a CONNECT of 200 MB is refused at its header: memory grows by less than 20 MB", async () => {
    const before = lab.memoryOf(cell);
    let most = before;
    const socket = await open();
    socket.resume();
    socket.write(Buffer.concat([Buffer.of(0x10), encodeLength(200 * MEGABYTE), Buffer.from("\0\x04MQTT\x05")]));
    const chunk = Buffer.alloc(MEGABYTE);
    for (let sent = 0; sent < 200 && !socket.closed; sent++) {
      if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
      most = Math.max(most, lab.memoryOf(cell));
    }
    await closed(socket, 10_000);
    expect((most - before) / MEGABYTE).toBeLessThan(20);
    await (await admitted({ url, vin: own, password })).endAsync();
  });

  test("connections that send nothing, half a header or half a CONNECT are closed within 10 s", async () => {
    const connect = mqttPacket.generate({ cmd: "connect", clientId: "half", protocolVersion: 5 });
    const starts = [Buffer.alloc(0), connect.subarray(0, 1), connect.subarray(0, connect.length - 1)];
    const sockets = await Promise.all(starts.map(open));
    for (const [index, socket] of sockets.entries()) {
      socket.resume();
      socket.write(starts[index] ?? "");
    }
    await Promise.all(sockets.map((socket) => closed(socket, 10_000)));
  });

  test.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a PUBLISH before its CONNECT", mqttPacket.generate({ cmd: "publish", topic: "a", payload: "b", qos: 0, dup: false, retain: false })],
    ["a length that never ends", Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ["a CONNECT of another protocol", Buffer.of(0x10, 6, 0, 4, 0x4e, 0x4f, 0x50, 0x45)],
  ])("%s ends the connection, and the cell serves on", async (_, bytes) => {
    const socket = await open();
    socket.resume();
    socket.write(bytes);
    await closed(socket, 10_000);
    await (await admitted({ url, vin: own, password })).endAsync();
  });
});

function encodeLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  return Buffer.from(bytes);
}
