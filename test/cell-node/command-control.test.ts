import { randomUUID } from "node:crypto";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Command } from "#schema/api/commands.ts";
import { Problem } from "#schema/api/error.ts";
import { verifyCommand } from "#schema/crypto/command-token.ts";
import { createKeyRing, type KeyRing } from "#schema/crypto/keys.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import { newFolder, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { connectPacketOf, connectRaw } from "./support/mqtt.ts";
import { newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cell: TestCell;
let keys: KeyRing;

beforeAll(async () => {
  control = await startControl();
  folder = await newFolder();
  cell = await startTestCell(control.url, folder);
  await untilReady(cell.http);
  keys = createKeyRing([(control.registrations[0] as { publicKey: PublicJwk }).publicKey]);
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

/** A stock client that collects the types of what it gets, and says what it is told to. */
const listen = async (vehicle: TestVehicle) => {
  const got: { readonly id: string; readonly type: string }[] = [];
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${cell.mqttPort}`, {
    ...{ protocolVersion: 5, clientId: vehicle.vin, username: vehicle.vin, reconnectPeriod: 0 },
    password: await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
  });
  client.on("message", async (_, payload) => {
    const verdict = await verifyCommand(payload.toString(), { keys, vin: vehicle.vin, nowMs: Date.now() });
    if (verdict.kind !== "verified") throw new Error(verdict.detail);
    got.push(verdict.command);
  });
  await client.subscribeAsync(`v1/${vehicle.vin}/commands`, { qos: 1 });
  const say = (id: string, result: object) =>
    client.publishAsync(`v1/${vehicle.vin}/commands/${id}/result`, JSON.stringify(result), { qos: 1 });
  return { client, got, say };
};

const request = async (vehicle: TestVehicle, path: string, role: OwnerRole, init: RequestInit = {}): Promise<Response> =>
  fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/commands${path}`, {
    ...init,
    headers: { ...(init.headers as object), authorization: `Bearer ${await ownerTokenFor(control, [vehicle], role)}` },
  });
const order = (vehicle: TestVehicle, type: string, args: object = {}, role: OwnerRole = "owner", key: string = randomUUID()) =>
  request(vehicle, "", role, {
    method: "POST",
    headers: { "idempotency-key": key },
    body: JSON.stringify({ type, arguments: args }),
  });
const ordered = async (vehicle: TestVehicle, type: string) => Command.parse(await (await order(vehicle, type)).json());
const cancel = (vehicle: TestVehicle, id: string, role: OwnerRole = "owner") => request(vehicle, `/${id}/cancel`, role, { method: "POST" });
const codeOf = async (response: Response) => [response.status, Problem.parse(await response.json()).code];

describe("the catalogue", () => {
  test.each<[string, object]>([
    ["doors.lock", {}],
    ["doors.unlock", { doors: ["boot"], requestedFrom: "app" }],
    ["climate.start", { celsius: 21, minutes: 10 }],
    ["charge.limit", { percent: 80 }],
    ["vehicle.locate", {}],
    ["horn.honk", { times: 2 }],
    ["lights.flash", {}],
    ["x-maker.massage", { seats: [1], anything: { at: "all" } }],
  ])("takes %s %j", async (type, args) => {
    expect((await order(await ownVehicle(), type, args)).status).toBe(201);
  });

  test.each<[string, object, string]>([
    ["doors.unlock", { doors: ["roof"] }, "/arguments/doors/0"],
    ["climate.start", { celsius: 90 }, "/arguments/celsius"],
    ["charge.limit", {}, "/arguments/percent"],
    ["horn.honk", { times: 1_000 }, "/arguments/times"],
  ])("refuses %s %j, naming the field", async (type, args, pointer) => {
    const response = await order(await ownVehicle(), type, args);
    expect(response.status).toBe(422);
    expect(Problem.parse(await response.json()).errors?.map((error) => error.pointer)).toEqual([pointer]);
  });

  test.each<[OwnerRole, string, number]>([
    ["driver", "doors.unlock", 201],
    ["driver", "vehicle.locate", 403],
    ["driver", "ownership.transfer", 403],
    ["fleet", "vehicle.locate", 201],
    ["service", "doors.unlock", 403],
    ["service", "x-maker.massage", 403],
    ["service", "diagnostics.read", 201],
  ])("a %s who sends %s is answered %i", async (role, type, status) => {
    expect((await order(await ownVehicle(), type, {}, role)).status).toBe(status);
  });
});

describe("what waits for a vehicle", () => {
  test("goes out by priority, and in the order of the orders where that is the same", async () => {
    const vehicle = await ownVehicle();
    for (const type of ["horn.honk", "doors.unlock", "climate.start", "doors.lock"]) expect((await order(vehicle, type)).status).toBe(201);
    const { client, got } = await listen(vehicle);
    await expect.poll(() => got.map(({ type }) => type)).toEqual(["doors.unlock", "doors.lock", "horn.honk", "climate.start"]);
    await client.endAsync();
  });

  test("I9: can be cancelled, once and for all: it is never sent", async () => {
    const vehicle = await ownVehicle();
    const { id } = await ordered(vehicle, "horn.honk");
    const kept = await ordered(vehicle, "lights.flash");
    const cancelled = await cancel(vehicle, id);
    expect(cancelled.status).toBe(200);
    expect(Command.parse(await cancelled.json())).toMatchObject({ id, state: "cancelled" });
    expect((await cancel(vehicle, id)).status).toBe(200);
    const { client, got } = await listen(vehicle);
    await expect.poll(() => got.map((command) => command.id)).toEqual([kept.id]);
    await client.endAsync();
  });
});

test("I9: what a vehicle may have cannot be cancelled any more; nor by who may not send it", async () => {
  const vehicle = await ownVehicle();
  const { client, got } = await listen(vehicle);
  const { id } = await ordered(vehicle, "doors.unlock");
  await expect.poll(() => got).toHaveLength(1);
  expect(await codeOf(await cancel(vehicle, id))).toEqual([409, "conflict"]);
  expect(await codeOf(await cancel(vehicle, id, "service"))).toEqual([403, "forbidden"]);
  expect(await codeOf(await cancel(vehicle, randomUUID()))).toEqual([404, "not_found"]);
  await client.endAsync();
});

type Event = { readonly name: string; readonly command: Command };

/** Reads server-sent events as they come. */
const eventsOf = async (response: Response, onEvent: (event: Event) => unknown): Promise<void> => {
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString();
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      await onEvent({ name: fields.get("event") ?? "", command: Command.parse(JSON.parse(fields.get("data") ?? "null")) });
    }
  }
};

test("progress is told as it happens, up to the end and with the latency", async () => {
  const vehicle = await ownVehicle();
  const { id } = await ordered(vehicle, "climate.start");
  const response = await request(vehicle, `/${id}`, "owner", { headers: { accept: "text/event-stream" } });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const { client, got, say } = await (async () => {
    const listening = await listen(vehicle);
    await expect.poll(() => listening.got).toHaveLength(1);
    return listening;
  })();
  const reports = [{ state: "accepted" }, { state: "progress", detail: { percent: 50 } }, { state: "succeeded", detail: { celsius: 21 } }];
  const seen: Event[] = [];
  await say(got[0]?.id ?? "", reports[0] ?? {});
  await eventsOf(response, async (event) => {
    seen.push(event);
    if (event.command.state === "accepted") await say(id, (event.command.result === null ? reports[1] : reports[2]) ?? {});
  });
  expect(new Set(seen.map(({ name }) => name))).toEqual(new Set(["command"]));
  expect(seen.map(({ command }) => command.result)).toContainEqual({ percent: 50 });
  expect(seen.at(-1)?.command).toMatchObject({ state: "succeeded", result: { celsius: 21 }, latencyMs: expect.any(Number) });
  await client.endAsync();
});

test("a stream of a command that has ended tells its end, and is over", async () => {
  const vehicle = await ownVehicle();
  const { id } = await ordered(vehicle, "horn.honk");
  await cancel(vehicle, id);
  const seen: Event[] = [];
  await eventsOf(await request(vehicle, `/${id}`, "owner", { headers: { accept: "text/event-stream" } }), (event) => seen.push(event));
  expect(seen.map(({ command }) => command.state)).toEqual(["cancelled"]);
});

test("a user who orders too much of a vehicle waits; a repetition costs nothing, nor do another vehicle's orders", async () => {
  const [vehicle, other] = [await ownVehicle(), await ownVehicle()];
  const key = randomUUID();
  const first = Command.parse(await (await order(vehicle, "horn.honk", {}, "owner", key)).json());
  await cancel(vehicle, first.id);
  let last: Response | null = null;
  for (let count = 0; count < 300 && last?.status !== 429; count++) {
    last = await order(vehicle, "horn.honk");
    if (last.status === 201) await cancel(vehicle, Command.parse(await last.clone().json()).id);
  }
  expect(last?.status).toBe(429);
  expect(last?.headers.get("ratelimit-policy")).toBe('"commands";q=120;w=60');
  expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(Command.parse(await (await order(vehicle, "horn.honk", {}, "owner", key)).json()).id).toBe(first.id);
  expect((await order(other, "horn.honk")).status).toBe(201);
});
