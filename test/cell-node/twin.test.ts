import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "#schema/api/error.ts";
import { DesiredTwin, TwinAnswer, TwinHistory } from "#schema/api/twin.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import { DESIRED_HISTORY } from "#schema/domain/merge.ts";
import { newFolder, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { connectPacketOf, connectRaw, PROTOCOLS, type Protocol } from "./support/mqtt.ts";
import { newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cell: TestCell;

const start = async (): Promise<void> => {
  cell = await startTestCell(control.url, folder);
  await untilReady(cell.http);
};

beforeAll(async () => {
  control = await startControl();
  folder = await newFolder();
  await start();
});
afterAll(async () => {
  await cell.stop();
  await control.stop();
  await removeFolder(folder);
});

const ownVehicle = async (): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  const packet = connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }));
  (await connectRaw(cell.mqttPort, packet)).client.destroy();
  return vehicle;
};

const connect = async (vehicle: TestVehicle, protocolVersion: Protocol = 5, more: IClientOptions = {}) => {
  const desired: object[] = [];
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${cell.mqttPort}`, {
    ...{ protocolVersion, clientId: vehicle.vin, username: vehicle.vin, reconnectPeriod: 0, ...more },
    password: await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
  });
  client.on("message", (_, payload) => void desired.push(JSON.parse(payload.toString()) as object));
  await client.subscribeAsync(`v1/${vehicle.vin}/twin/desired`, { qos: 1 });
  const report = (patch: object) => client.publishAsync(`v1/${vehicle.vin}/twin/reported`, JSON.stringify(patch), { qos: 1 });
  return { client, desired, report };
};

type Options = { readonly role?: OwnerRole; readonly ifMatch?: string | null; readonly type?: string; readonly body?: string };

const call = async (vehicle: TestVehicle, path: string, role: OwnerRole = "owner"): Promise<Response> =>
  fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/${path}`, {
    headers: { authorization: `Bearer ${await ownerTokenFor(control, [vehicle], role)}` },
  });
const read = async (vehicle: TestVehicle) => TwinAnswer.parse(await (await call(vehicle, "twin")).json());

const patch = async (
  vehicle: TestVehicle,
  change: object,
  { role = "owner", ifMatch = "*", type = "application/merge-patch+json", body = JSON.stringify(change) }: Options = {},
): Promise<Response> =>
  fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/twin/desired`, {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${await ownerTokenFor(control, [vehicle], role)}`,
      "content-type": type,
      ...(ifMatch !== null && { "if-match": ifMatch }),
    },
    body,
  });
const codeOf = async (response: Response) => [response.status, Problem.parse(await response.json()).code];

describe("the reported twin", () => {
  test.each(PROTOCOLS)("I7: protocol %i: what is acknowledged is there for the owner, merged", async (protocol) => {
    const vehicle = await ownVehicle();
    const { client, report } = await connect(vehicle, protocol);
    await report({ doors: { left: "open", right: "closed" }, activity: "driving" });
    await report({ doors: { left: null } });
    expect(await read(vehicle)).toMatchObject({
      vin: vehicle.vin,
      reported: { document: { doors: { right: "closed" } } },
      activity: "driving",
    });
    await client.endAsync();
  });

  test("numbered reports hold in the vehicle's order", async () => {
    const vehicle = await ownVehicle();
    const { client, report } = await connect(vehicle);
    await report({ soc: 80, $stamp: { boot: 3, seq: 2 } });
    await report({ soc: 81, range: 300, $stamp: { boot: 3, seq: 1 } });
    const { reported } = await read(vehicle);
    expect(reported).toMatchObject({ document: { soc: 80, range: 300 }, boot: 3, seq: 2 });
    await client.endAsync();
  });

  test("what does not fit is refused, and changes nothing", async () => {
    const vehicle = await ownVehicle();
    const { client, report } = await connect(vehicle);
    await report({ soc: 80 });
    await expect(report([1])).rejects.toThrow();
    await expect(report({ soc: 1, $stamp: 7 })).rejects.toThrow();
    expect((await read(vehicle)).reported.document).toEqual({ soc: 80 });
    await client.endAsync();
  });
});

describe("the desired twin", () => {
  test.each(PROTOCOLS)("protocol %i: is sent when the vehicle listens, and at each change", async (protocol) => {
    const vehicle = await ownVehicle();
    const { client, desired } = await connect(vehicle, protocol);
    await expect.poll(() => desired).toEqual([{ term: 0, version: 0, document: {} }]);
    expect((await patch(vehicle, { climate: { celsius: 21 } })).status).toBe(200);
    await expect.poll(() => desired.at(-1)).toEqual({ term: 0, version: 1, document: { climate: { celsius: 21 } } });
    await client.endAsync();
  });

  test("a vehicle that says which version it has gets the difference when it comes back; one that lost it asks for the whole", async () => {
    const vehicle = await ownVehicle();
    await patch(vehicle, { a: 1, b: 1 });
    const first = await connect(vehicle);
    await expect.poll(() => first.desired).toEqual([{ term: 0, version: 1, document: { a: 1, b: 1 } }]);
    await first.report({ $desired: { term: 0, version: 1 } });
    await first.client.endAsync();
    await patch(vehicle, { b: null });
    await patch(vehicle, { c: 1 });
    const second = await connect(vehicle);
    await expect.poll(() => second.desired).toEqual([{ term: 0, version: 3, from: { term: 0, version: 1 }, patch: { b: null, c: 1 } }]);
    await second.report({ $desired: null });
    await expect.poll(() => second.desired.at(-1)).toEqual({ term: 0, version: 3, document: { a: 1, c: 1 } });
    await second.client.endAsync();
  });

  test("of two that change the same version one is told that it has changed", async () => {
    const vehicle = await ownVehicle();
    const before = await call(vehicle, "twin");
    const ifMatch = before.headers.get("etag");
    expect(ifMatch).toBe('"0.0"');
    const answers = await Promise.all([patch(vehicle, { by: "one" }, { ifMatch }), patch(vehicle, { by: "two" }, { ifMatch })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect(answers.map(({ headers }) => headers.get("etag"))).toEqual(['"0.1"', '"0.1"']);
    expect((await read(vehicle)).desired.version).toBe(1);
  });

  test.each<[string, Options, number, string]>([
    ["without If-Match", { ifMatch: null }, 428, "precondition_required"],
    ["with a weak tag", { ifMatch: 'W/"0.0"' }, 412, "precondition_failed"],
    ["as plain JSON", { type: "application/json" }, 415, "unsupported_media_type"],
    ["that is no object", { body: "[1]" }, 422, "validation_failed"],
    ["that is no JSON", { body: "{" }, 400, "bad_request"],
    ["by a driver", { role: "driver" }, 403, "forbidden"],
    ["by a workshop", { role: "service" }, 403, "forbidden"],
    ["too deep", { body: `${'{"a":'.repeat(17)}1${"}".repeat(17)}` }, 422, "validation_failed"],
  ])("a change %s is refused", async (_, options, status, code) => {
    const vehicle = await ownVehicle();
    expect(await codeOf(await patch(vehicle, { a: 1 }, options))).toEqual([status, code]);
    expect((await read(vehicle)).desired).toEqual({ document: {}, term: 0, version: 0, updatedAt: null });
  });

  test("its last versions are kept, latest first, with who made them", async () => {
    const vehicle = await ownVehicle();
    for (let n = 1; n <= DESIRED_HISTORY + 5; n++) await patch(vehicle, { n });
    const { items } = TwinHistory.parse(await (await call(vehicle, "twin/history")).json());
    expect(items).toHaveLength(DESIRED_HISTORY + 1);
    expect(items[0]).toMatchObject({ version: DESIRED_HISTORY + 5, document: { n: DESIRED_HISTORY + 5 }, changedBy: "alice" });
  });

  test("a user who changes it too often waits, and is told the policy", async () => {
    const vehicle = await ownVehicle();
    const answers: Response[] = [];
    while (answers.at(-1)?.status !== 429 && answers.length < 200) answers.push(await patch(vehicle, { n: answers.length }));
    expect(answers.at(-1)?.status).toBe(429);
    expect(answers.at(-1)?.headers.get("ratelimit-policy")).toBe('"twin";q=60;w=60');
    expect(Number(answers.at(-1)?.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

test("I7: twins survive a restart", async () => {
  const vehicle = await ownVehicle();
  const { client, report } = await connect(vehicle);
  await report({ soc: 55, activity: "charging", $stamp: { boot: 1, seq: 7 }, $desired: { term: 0, version: 0 } });
  await client.endAsync();
  const changed = await patch(vehicle, { limit: 80 });
  expect(DesiredTwin.parse(await changed.json())).toMatchObject({ version: 1, document: { limit: 80 } });
  const before = await read(vehicle);
  await cell.stop();
  await start();
  expect(await read(vehicle)).toEqual(before);
  const again = await connect(vehicle);
  await expect.poll(() => again.desired).toEqual([{ term: 0, version: 1, from: { term: 0, version: 0 }, patch: { limit: 80 } }]);
  await again.client.endAsync();
});
