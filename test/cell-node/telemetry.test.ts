import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TelemetryPage } from "#schema/api/commands.ts";
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

let messageId = 0;
const publish = ({ vehicle, client }: { vehicle: TestVehicle; client: RawClient }, payload: string | Buffer, more: object = {}) => {
  messageId = (messageId % 65_535) + 1;
  client.send({ cmd: "publish", topic: `v1/${vehicle.vin}/telemetry`, payload, qos: 1, messageId, dup: false, retain: false, ...more });
};

const read = async (vehicle: TestVehicle, query = ""): Promise<TelemetryPage> => {
  const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
  const response = await fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/telemetry?${query}`, { headers: { authorization } });
  return TelemetryPage.parse(await response.json());
};
const payloadsOf = async (vehicle: TestVehicle) => (await read(vehicle)).items.map(({ payload }) => payload);

describe("telemetry", () => {
  test("I7: what was acknowledged is stored once per id, whatever is repeated", async () => {
    const session = await connect(5);
    const sent = ['{"id":"a","v":1}', '{"id":"a","v":2}', '{"v":3}', '{"v":3}', '{"v": 3}', '[{"v":4}]', '{"id":5}'];
    for (const payload of sent) {
      publish(session, payload);
      expect(await session.client.next("puback")).toMatchObject({ reasonCode: 0 });
    }
    const stored = [{ id: "a", v: 1 }, { v: 3 }, { v: 3 }, [{ v: 4 }], { id: 5 }];
    expect(await payloadsOf(session.vehicle)).toEqual(stored);
    publish(session, '{"id":"a","v":9}');
    await session.client.next("puback");
    expect(await payloadsOf(session.vehicle)).toEqual(stored);
    session.client.destroy();
  });

  test("I7: the same id of another vehicle is another message", async () => {
    const [one, two] = [await connect(5), await connect(5)];
    for (const session of [one, two]) {
      publish(session, '{"id":"same"}');
      await session.client.next("puback");
      expect(await payloadsOf(session.vehicle)).toEqual([{ id: "same" }]);
      session.client.destroy();
    }
  });

  test("I7: QoS 2 is stored before its PUBREC, and once when the PUBLISH is repeated", async () => {
    const session = await connect(4);
    publish(session, '{"q":2}', { qos: 2, messageId: 9 });
    expect(await session.client.next("pubrec")).toMatchObject({ messageId: 9 });
    expect(await payloadsOf(session.vehicle)).toEqual([{ q: 2 }]);
    publish(session, '{"q":2}', { qos: 2, messageId: 9, dup: true });
    expect(await session.client.next("pubrec")).toMatchObject({ messageId: 9 });
    session.client.send({ cmd: "pubrel", messageId: 9 });
    expect(await session.client.next("pubcomp")).toMatchObject({ messageId: 9 });
    expect(await payloadsOf(session.vehicle)).toEqual([{ q: 2 }]);
    session.client.destroy();
  });

  test("QoS 0 is stored too", async () => {
    const session = await connect(4);
    publish(session, '{"q":0}', { qos: 0, messageId: undefined });
    await expect.poll(() => payloadsOf(session.vehicle)).toEqual([{ q: 0 }]);
    session.client.destroy();
  });

  const MISFITS: readonly (readonly [string, string | Buffer])[] = [
    ["no JSON", "speed=3"],
    ["half an object", '{"speed":'],
    ["a number", "42"],
    ["null", "null"],
    ["nothing", ""],
    ["not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["an id of the wrong kind", '{"id":{}}'],
    ["an id too long", JSON.stringify({ id: "x".repeat(129) })],
  ];

  test.each(MISFITS)("%s: MQTT 5 hears 0x99 and why, and goes on", async (_, payload) => {
    for (const qos of [1, 2] as const) {
      const session = await connect(5);
      publish(session, payload, { qos });
      const answer = await session.client.next(qos === 1 ? "puback" : "pubrec");
      expect(answer).toMatchObject({ reasonCode: 0x99, properties: { reasonString: expect.stringMatching(/./) } });
      publish(session, '{"ok":1}');
      expect(await session.client.next("puback")).toMatchObject({ reasonCode: 0 });
      expect(await payloadsOf(session.vehicle)).toEqual([{ ok: 1 }]);
      session.client.destroy();
    }
  });

  test.each(MISFITS)("%s: MQTT 3.1.1 cannot be told, so it is set apart, acknowledged, and not telemetry", async (_, payload) => {
    const session = await connect(4);
    publish(session, payload);
    expect(await session.client.next("puback")).not.toBeNull();
    publish(session, '{"ok":1}');
    expect(await session.client.next("puback")).not.toBeNull();
    expect(await payloadsOf(session.vehicle)).toEqual([{ ok: 1 }]);
    session.client.destroy();
  });

  test("hostile but valid JSON comes back as it was", async () => {
    const session = await connect(5);
    const deep = `{"deep":${"[".repeat(2000)}${"]".repeat(2000)}}`;
    const texts = [deep, '{"__proto__":{"x":1}}', '{"n":1e400,"big":12345678901234567890}', '{"s":"\\u0000 \\ud800 \\" \\\\"}', "[]"];
    for (const text of texts) {
      publish(session, text);
      expect(await session.client.next("puback")).toMatchObject({ reasonCode: 0 });
    }
    const authorization = `Bearer ${await ownerTokenFor(control, [session.vehicle])}`;
    const response = await fetch(`${cell.http}/v1/vehicles/${session.vehicle.vin}/telemetry`, { headers: { authorization } });
    const body = await response.text();
    for (const text of texts) expect(body).toContain(`"payload":${text}`);
    session.client.destroy();
  });
});

describe("GET /v1/vehicles/{vin}/telemetry", () => {
  test("pages by cursor, oldest first, each message once; says from when it is complete", async () => {
    const session = await connect(5);
    for (let n = 0; n < 25; n++) publish(session, JSON.stringify({ n }));
    for (let n = 0; n < 25; n++) await session.client.next("puback");
    const seen: unknown[] = [];
    let cursor: string | null = "";
    let pages = 0;
    while (cursor !== null) {
      const page: TelemetryPage = await read(session.vehicle, `limit=10${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.items.map(({ payload }) => payload));
      cursor = page.cursor;
      pages++;
      expect(Date.parse(page.completeFrom)).toBeLessThanOrEqual(Date.parse(page.items[0]?.receivedAt ?? ""));
    }
    expect(pages).toBe(3);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => ({ n })));
    session.client.destroy();
  });

  test("from is inclusive, to is exclusive", async () => {
    const session = await connect(5);
    publish(session, '{"n":1}');
    await session.client.next("puback");
    const at = (await read(session.vehicle)).items[0]?.receivedAt ?? "";
    const later = new Date(Date.parse(at) + 1).toISOString();
    expect((await read(session.vehicle, `from=${at}&to=${later}`)).items).toHaveLength(1);
    expect((await read(session.vehicle, `from=${later}`)).items).toHaveLength(0);
    expect((await read(session.vehicle, `to=${at}`)).items).toHaveLength(0);
    session.client.destroy();
  });

  test.each(["limit=0", "limit=1001", "limit=x", "from=yesterday", "cursor=!!"])("%s is refused", async (query) => {
    const vehicle = await newVehicle();
    const { client } = await connectRaw(
      cell.mqttPort,
      connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 })),
    );
    client.destroy();
    const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
    const response = await fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/telemetry?${query}`, { headers: { authorization } });
    expect([400, 422]).toContain(response.status);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
  });
});
