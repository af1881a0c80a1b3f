import { createHash } from "node:crypto";
import { connect as dial } from "node:net";
import mqttPacket from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newFolder, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { codeOf, connectPacketOf, connectRaw, openRaw, PROTOCOLS } from "./support/mqtt.ts";
import { newVehicle, ticketFor } from "./support/vehicles.ts";

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

/** A vehicle still gets in and its message is stored: nothing before did harm. */
const expectService = async () => {
  const vehicle = await newVehicle();
  const packet = connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }));
  const { client, connack } = await connectRaw(cell.mqttPort, packet);
  expect(codeOf(connack)).toBe(0);
  client.send({ cmd: "publish", topic: `v1/${vehicle.vin}/telemetry`, payload: "{}", qos: 1, messageId: 1, dup: false, retain: false });
  expect(await client.next("puback")).toMatchObject({ reasonCode: 0 });
  client.destroy();
};

const MEGABYTE = 2 ** 20;

describe("the frame guard", () => {
  test("a CONNECT of 200 MB is closed at its header: almost none of it is taken", async () => {
    const socket = dial({ host: "127.0.0.1", port: cell.mqttPort });
    const length = 200 * MEGABYTE;
    const digits = [(length % 128) | 128, ((length >> 7) % 128) | 128, ((length >> 14) % 128) | 128, length >> 21];
    socket.write(Buffer.concat([Buffer.from([0x10, ...digits, 0, 4]), Buffer.from("MQTT"), Buffer.from([5])]));
    const chunk = Buffer.alloc(MEGABYTE);
    let isClosed = false;
    socket.on("error", () => undefined);
    const closed = new Promise<void>((resolve) =>
      socket.once("close", () => {
        isClosed = true;
        resolve();
      }),
    );
    const flood = () => {
      if (!isClosed && socket.bytesWritten < length) socket.write(chunk, flood);
    };
    flood();
    await closed;
    expect(socket.bytesWritten).toBeLessThan(20 * MEGABYTE);
    await expectService();
  });

  test("an MQTT 5 client hears that its CONNECT is too large", async () => {
    const client = await openRaw(cell.mqttPort, 5);
    client.socket.write(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0x7f, 0, 4]), Buffer.from("MQTT"), Buffer.from([5])]));
    expect(codeOf(await client.next("connack"))).toBe(0x95);
    await client.closed;
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.from([0x10])],
    [
      "half a CONNECT",
      mqttPacket.generate({ cmd: "connect", clientId: "half", protocolVersion: 4, clean: true, keepalive: 9 }).subarray(0, 9),
    ],
  ])("%s and then silence is closed in time", async (_, bytes) => {
    const client = await openRaw(cell.mqttPort, 4);
    if (bytes.length > 0) client.socket.write(bytes);
    await client.closed;
    expect(client.packets).toEqual([]);
  });

  test.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a PUBLISH first", Buffer.from([0x30, 3, 0, 1, 0x61])],
    ["a length of five bytes", Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 0x01])],
    ["reserved flags", Buffer.from([0x11, 0])],
    ["an empty CONNECT", Buffer.from([0x10, 0])],
    ["another protocol", Buffer.concat([Buffer.from([0x10, 10, 0, 4]), Buffer.from("NATS"), Buffer.from([4, 2, 0, 60])])],
  ])("%s is closed", async (_, bytes) => {
    const client = await openRaw(cell.mqttPort, 4);
    client.socket.write(bytes);
    await client.closed;
    expect(client.packets).toEqual([]);
  });

  test("a CONNECT in single bytes is a CONNECT; what follows it at once is not lost", async () => {
    const vehicle = await newVehicle();
    const packet = connectPacketOf(vehicle, 4, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }));
    const client = await openRaw(cell.mqttPort, 4);
    client.socket.setNoDelay(true);
    const bytes = mqttPacket.generate(packet);
    for (const byte of bytes.subarray(0, 20)) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const publish = {
      cmd: "publish",
      topic: `v1/${vehicle.vin}/telemetry`,
      payload: '{"early":1}',
      qos: 1,
      dup: false,
      retain: false,
    } as const;
    const early = [1, 2, 3].map((messageId) => mqttPacket.generate({ ...publish, messageId }));
    client.socket.write(Buffer.concat([bytes.subarray(20), ...early]));
    expect(codeOf(await client.next("connack"))).toBe(0);
    for (const messageId of [1, 2, 3]) expect(await client.next("puback")).toMatchObject({ messageId });
    client.destroy();
  });
});

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 300);

/** The same bytes on every run: a counter through SHA-256. */
const bytesOf = (seed: string) => {
  let counter = 0;
  let pool = Buffer.alloc(0);
  return (count: number): number[] =>
    Array.from({ length: count }, () => {
      if (pool.length === 0) pool = createHash("sha256").update(`${seed}${counter++}`).digest();
      const [byte = 0] = pool;
      pool = pool.subarray(1);
      return byte;
    });
};

describe("malformed packets never end the process", () => {
  test.each(PROTOCOLS)("protocol %i: mutated packets of an admitted vehicle", async (protocol) => {
    const vehicle = await newVehicle();
    const connect = mqttPacket.generate(connectPacketOf(vehicle, protocol, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 })));
    const options = { protocolVersion: protocol };
    const own = `v1/${vehicle.vin}`;
    const properties = protocol === 5 ? { properties: { userProperties: { a: "b" } } } : {};
    const samples = [
      mqttPacket.generate(
        { cmd: "publish", topic: `${own}/telemetry`, payload: "{}", qos: 1, messageId: 5, dup: false, retain: true, ...properties },
        options,
      ),
      mqttPacket.generate(
        { cmd: "publish", topic: `${own}/telemetry`, payload: "{}", qos: 2, messageId: 6, dup: false, retain: false },
        options,
      ),
      mqttPacket.generate({ cmd: "subscribe", messageId: 7, subscriptions: [{ topic: `${own}/commands`, qos: 1 }] }, options),
      mqttPacket.generate({ cmd: "unsubscribe", messageId: 8, unsubscriptions: [`${own}/commands`] }, options),
      mqttPacket.generate({ cmd: "pubrel", messageId: 6 }, options),
      mqttPacket.generate({ cmd: "puback", messageId: 9 }, options),
      mqttPacket.generate({ cmd: "pingreq" }, options),
      mqttPacket.generate({ cmd: "disconnect" }, options),
    ];
    const random = bytesOf(`fuzz-${protocol}`);
    for (let round = 0; round < ROUNDS; round++) {
      const [which = 0, at = 0, value = 0, cut = 0] = random(4);
      const sample = Buffer.from(samples[which % samples.length] ?? []);
      sample[at % sample.length] = value;
      const mutated = cut % 4 === 0 ? sample.subarray(0, cut % sample.length) : sample;
      const client = await openRaw(cell.mqttPort, protocol);
      client.socket.end(Buffer.concat([connect, mutated, Buffer.from(random(cut % 32))]));
      await client.closed;
    }
    await expectService();
  });

  test.each(PROTOCOLS)("protocol %i: mutated CONNECTs", async (protocol) => {
    const vehicle = await newVehicle();
    const will = { topic: `v1/${vehicle.vin}/telemetry`, payload: Buffer.from("{}"), qos: 1 as const, retain: false };
    const connect = mqttPacket.generate(
      connectPacketOf(vehicle, protocol, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }), { will }),
    );
    const random = bytesOf(`connect-${protocol}`);
    for (let round = 0; round < ROUNDS; round++) {
      const [at = 0, value = 0] = random(2);
      const mutated = Buffer.from(connect);
      mutated[at % 80] = value;
      const client = await openRaw(cell.mqttPort, protocol);
      client.socket.end(mutated);
      await client.closed;
    }
    await expectService();
  });
});
