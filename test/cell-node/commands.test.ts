import { randomUUID } from "node:crypto";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Command } from "#schema/api/commands.ts";
import { verifyCommand } from "#schema/crypto/command-token.ts";
import { createKeyRing, type KeyRing } from "#schema/crypto/keys.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import { newFolder, OTHER, OTHER_ENDPOINTS, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { connectPacketOf, connectRaw, PROTOCOLS, type Protocol } from "./support/mqtt.ts";
import { assigned, newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cell: TestCell;
let keys: KeyRing;

beforeAll(async () => {
  control = await startControl();
  control.view.endpoints[OTHER] = OTHER_ENDPOINTS;
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

/** A vehicle that this cell owns. */
const ownVehicle = async (): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  const packet = connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }));
  (await connectRaw(cell.mqttPort, packet)).client.destroy();
  return vehicle;
};

type Received = { readonly id: string; readonly token: string; readonly packet: { properties?: object } };

/** A stock client that executes what verifies. */
const startVehicle = async (vehicle: TestVehicle, protocolVersion: Protocol, answers: readonly string[] = ["accepted", "succeeded"]) => {
  const received: Received[] = [];
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${cell.mqttPort}`, {
    ...{ protocolVersion, clientId: vehicle.vin, username: vehicle.vin, reconnectPeriod: 0 },
    password: await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
  });
  client.on("message", async (_, payload, packet) => {
    const token = payload.toString();
    const verdict = await verifyCommand(token, { keys, vin: vehicle.vin, nowMs: Date.now() });
    if (verdict.kind !== "verified") throw new Error(verdict.detail);
    received.push({ id: verdict.command.id, token, packet: packet as Received["packet"] });
    for (const state of answers) {
      const result = JSON.stringify({ state, detail: { state } });
      await client.publishAsync(`v1/${vehicle.vin}/commands/${verdict.command.id}/result`, result, { qos: 1 });
    }
  });
  await client.subscribeAsync(`v1/${vehicle.vin}/commands`, { qos: 1 });
  return { client, received };
};

const order = async (
  vehicle: TestVehicle,
  body: object | string = { type: "doors.unlock" },
  { key = randomUUID() as string | null, query = "", role = "owner" as OwnerRole, base = cell.http } = {},
): Promise<Response> =>
  fetch(`${base}/v1/vehicles/${vehicle.vin}/commands${query}`, {
    method: "POST",
    redirect: "manual",
    headers: {
      authorization: `Bearer ${await ownerTokenFor(control, [vehicle], role)}`,
      ...(key !== null && { "idempotency-key": key }),
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const read = async (vehicle: TestVehicle, id: string): Promise<Command> => {
  const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
  const response = await fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/commands/${id}`, { headers: { authorization } });
  return Command.parse(await response.json());
};

const problemOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const { code } = (await response.json()) as { code: string };
  return { status: response.status, code };
};

describe("a command", () => {
  test.each(PROTOCOLS)("I9: protocol %i: goes out signed, comes back over HTTP", async (protocol) => {
    const vehicle = await ownVehicle();
    const { client, received } = await startVehicle(vehicle, protocol);
    const response = await order(vehicle, { type: "climate.start", arguments: { celsius: 21 } }, { query: "?wait=10" });
    expect(response.status).toBe(201);
    const command = Command.parse(await response.json());
    expect(command).toMatchObject({ vin: vehicle.vin, type: "climate.start", state: "succeeded", result: { state: "succeeded" } });
    expect(response.headers.get("location")).toBe(`/v1/vehicles/${vehicle.vin}/commands/${command.id}`);
    expect(await read(vehicle, command.id)).toEqual(command);
    expect(received).toHaveLength(1);
    if (protocol === 5) {
      expect(received[0]?.packet.properties).toMatchObject({
        responseTopic: `v1/${vehicle.vin}/commands/${command.id}/result`,
        correlationData: Buffer.from(command.id),
        contentType: "application/jose",
      });
    }
    await client.endAsync();
  });

  test("I9: waits for the vehicle's next subscription, and goes out under the same id", async () => {
    const vehicle = await ownVehicle();
    const command = Command.parse(await (await order(vehicle)).json());
    expect(command.state).toBe("queued");
    const first = await startVehicle(vehicle, 5, []);
    await expect.poll(() => first.received.map(({ id }) => id)).toEqual([command.id]);
    await expect.poll(async () => (await read(vehicle, command.id)).state).toBe("sent");
    await first.client.endAsync();
    const second = await startVehicle(vehicle, 5);
    await expect.poll(() => second.received.map(({ id }) => id)).toEqual([command.id]);
    expect(second.received[0]?.token).toBe(first.received[0]?.token);
    await expect.poll(async () => (await read(vehicle, command.id)).state).toBe("succeeded");
    await second.client.endAsync();
  });

  test("I9: a resumed session gets it once, without subscribing again", async () => {
    const vehicle = await ownVehicle();
    const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    const packet = connectPacketOf(vehicle, 4, password, { clean: false });
    const first = await connectRaw(cell.mqttPort, packet);
    first.client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `v1/${vehicle.vin}/commands`, qos: 1 }] });
    await first.client.next("suback");
    const one = Command.parse(await (await order(vehicle)).json());
    expect((await first.client.next("publish"))?.topic).toBe(`v1/${vehicle.vin}/commands`);
    first.client.destroy();
    const second = await connectRaw(cell.mqttPort, packet);
    expect(second.connack?.sessionPresent).toBe(true);
    await second.client.next("publish");
    const two = Command.parse(await (await order(vehicle)).json());
    await second.client.next("publish");
    const ids = second.client.packets.flatMap((sent) =>
      sent.cmd === "publish" ? [JSON.parse(Buffer.from(sent.payload.toString().split(".")[1] ?? "", "base64url").toString()).jti] : [],
    );
    expect(ids).toEqual([one.id, two.id]);
    second.client.destroy();
  });

  test("I9: is never sent after its expiry", async () => {
    const vehicle = await ownVehicle();
    const command = Command.parse(await (await order(vehicle, { type: "horn", expiresInSeconds: 1 })).json());
    await expect.poll(async () => (await read(vehicle, command.id)).state, { timeout: 5000 }).toBe("expired");
    const { client, received } = await startVehicle(vehicle, 5);
    const next = Command.parse(await (await order(vehicle, { type: "horn" }, { query: "?wait=10" })).json());
    expect(received.map(({ id }) => id)).toEqual([next.id]);
    await client.endAsync();
  });

  test("a result for no command, or of no known state, is refused", async () => {
    const vehicle = await ownVehicle();
    const { client } = await startVehicle(vehicle, 5, []);
    const command = Command.parse(await (await order(vehicle)).json());
    const report = (id: string, payload: string) =>
      client.publishAsync(`v1/${vehicle.vin}/commands/${id}/result`, payload, { qos: 1 }).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    expect(await report("unknown", '{"state":"succeeded"}')).toBe(0x99);
    expect(await report(command.id, '{"state":"exploded"}')).toBe(0x99);
    expect(await report(command.id, '{"state":"failed","detail":{"why":"cold"}}')).toBe(0);
    expect(await read(vehicle, command.id)).toMatchObject({ state: "failed", result: { why: "cold" } });
    expect(await report(command.id, '{"state":"succeeded"}')).toBe(0);
    expect(await read(vehicle, command.id)).toMatchObject({ state: "failed", result: { why: "cold" } });
    await client.endAsync();
  });

  test("I8: a vehicle cannot answer another's command", async () => {
    const [mine, other] = [await ownVehicle(), await ownVehicle()];
    const command = Command.parse(await (await order(other)).json());
    const { client } = await startVehicle(mine, 5, []);
    const code = await client.publishAsync(`v1/${mine.vin}/commands/${command.id}/result`, '{"state":"succeeded"}', { qos: 1 }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    expect(code).toBe(0x99);
    expect((await read(other, command.id)).state).toBe("queued");
    await client.endAsync();
  });
});

describe("POST commands", () => {
  test("the same key and body is the same command; another body is refused", async () => {
    const vehicle = await ownVehicle();
    const first = Command.parse(await (await order(vehicle, { type: "horn" }, { key: "k" })).json());
    const again = await order(vehicle, { type: "horn" }, { key: "k" });
    expect([again.status, Command.parse(await again.json()).id]).toEqual([201, first.id]);
    expect(await problemOf(await order(vehicle, { type: "lights" }, { key: "k" }))).toEqual({
      status: 422,
      code: "idempotency_key_reused",
    });
    const other = await ownVehicle();
    expect(Command.parse(await (await order(other, { type: "lights" }, { key: "k" })).json()).id).not.toBe(first.id);
  });

  test("the same key at the same time makes one command", async () => {
    const vehicle = await ownVehicle();
    const responses = await Promise.all(Array.from({ length: 8 }, () => order(vehicle, { type: "horn" }, { key: "k" })));
    const created = responses.filter(({ status }) => status === 201);
    const ids = await Promise.all(created.map(async (response) => Command.parse(await response.json()).id));
    expect(new Set(ids).size).toBe(1);
    const refused = await Promise.all(responses.filter(({ status }) => status !== 201).map(problemOf));
    expect(refused.every(({ code }) => code === "idempotency_in_flight")).toBe(true);
  });

  test("a hundred open commands of one vehicle are enough", async () => {
    const vehicle = await ownVehicle();
    const responses = await Promise.all(Array.from({ length: 100 }, () => order(vehicle)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
    const more = await order(vehicle);
    expect(more.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await problemOf(more)).toEqual({ status: 429, code: "rate_limited" });
  });

  test.each([
    ["no Idempotency-Key", { type: "horn" }, { key: null }, 400, "idempotency_key_required"],
    ["no JSON", "horn", {}, 400, "bad_request"],
    ["an unknown member", { type: "horn", force: true }, {}, 422, "validation_failed"],
    ["a type that is none", { type: "Horn!" }, {}, 422, "validation_failed"],
    ["an expiry of a week", { type: "horn", expiresInSeconds: 604_800 }, {}, 422, "validation_failed"],
    ["a wait of an hour", { type: "horn" }, { query: "?wait=3600" }, 422, "validation_failed"],
    ["a role that may not", { type: "doors.unlock" }, { role: "service" as const }, 403, "forbidden"],
    ["a body too large", { type: "horn", arguments: { x: "y".repeat(100_000) } }, {}, 413, "payload_too_large"],
  ])("%s is refused", async (_, body, options, status, code) => {
    expect(await problemOf(await order(await ownVehicle(), body, options))).toEqual({ status, code });
  });

  test("I8: an unknown VIN, a foreign VIN and a missing right cannot be told apart", async () => {
    const [mine, foreign, unknown] = [await ownVehicle(), await ownVehicle(), await newVehicle()];
    const token = await ownerTokenFor(control, [mine]);
    const ask = async (path: string, method: string) => {
      const response = await fetch(`${cell.http}/v1/vehicles/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "idempotency-key": randomUUID(), "x-request-id": "the-same-id" },
        ...(method === "POST" && { body: '{"type":"horn"}' }),
      });
      return { status: response.status, body: await response.text() };
    };
    const answers = await Promise.all(
      [foreign.vin, unknown.vin, "NOT-A-VIN", "1HGCM82633A004353"].flatMap((vin) => [
        ask(`${vin}/commands`, "POST"),
        ask(`${vin}/telemetry`, "GET"),
        ask(`${vin}/commands/some-id`, "GET"),
      ]),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.status).toBe(403);
  });

  test.each([undefined, "Bearer nonsense", "Basic YTpi"])("credential %s is refused", async (authorization) => {
    const { vin } = await ownVehicle();
    const response = await fetch(`${cell.http}/v1/vehicles/${vin}/telemetry`, { headers: authorization ? { authorization } : {} });
    expect(await problemOf(response)).toEqual({ status: 401, code: "unauthenticated" });
  });

  test("I5: for a vehicle of another cell the answer is 421 with the right place and epoch", async () => {
    const vehicle = await ownVehicle();
    const news = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: OTHER, epoch: 2 })));
    news.client.destroy();
    const response = await order(vehicle, { type: "horn" }, { query: "?wait=1" });
    expect(response.headers.get("location")).toBe(`${OTHER_ENDPOINTS.https}/v1/vehicles/${vehicle.vin}/commands?wait=1`);
    expect(response.headers.get("cloverleaf-epoch")).toBe("2");
    expect(await problemOf(response)).toEqual({ status: 421, code: "wrong_cell" });
  });

  test("I5: for a vehicle that no cell is known of the answer is 421 without a place", async () => {
    const response = await order(await newVehicle());
    expect(response.headers.get("location")).toBeNull();
    expect(await problemOf(response)).toEqual({ status: 421, code: "wrong_cell" });
  });
});

test("I7, I9: commands and their states survive a restart", async () => {
  const own = await newFolder();
  let survivor = await startTestCell(control.url, own);
  await untilReady(survivor.http);
  const vehicle = await newVehicle();
  control.assign(assigned(vehicle, SELF, 1));
  await expect
    .poll(async () => (await order(vehicle, { type: "horn" }, { key: "k", base: survivor.http })).status, { timeout: 5000 })
    .toBe(201);
  await survivor.stop();
  survivor = await startTestCell(control.url, own);
  await untilReady(survivor.http);
  const again = Command.parse(await (await order(vehicle, { type: "horn" }, { key: "k", base: survivor.http })).json());
  expect(again.state).toBe("queued");
  const { client } = await connectRaw(
    survivor.mqttPort,
    connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 })),
  );
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `v1/${vehicle.vin}/commands`, qos: 1 }] });
  const sent = await client.next("publish");
  expect(sent?.properties?.correlationData?.toString()).toBe(again.id);
  client.destroy();
  await survivor.stop();
  await removeFolder(own);
});
