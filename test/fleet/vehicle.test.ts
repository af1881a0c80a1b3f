import { afterEach, describe, expect, test, vi } from "vitest";
import type { RouteAnswer } from "#schema/api/route.ts";
import { signCommand } from "#schema/crypto/command-token.ts";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import { answerOf } from "./answer-factory.ts";
import type { Protocol } from "./meaning.ts";
import { resolveAtEdge } from "./resolve.ts";
import { startTestCell, startTestEdge, type TestCell, type TestEdge } from "./test-world.ts";
import { createVehicle, type Vehicle } from "./vehicle.ts";

const parsed = parseVin("WVWZZZ1JZXW000001");
if (!isVin(parsed)) throw new Error(parsed.detail);
const VIN = parsed;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const cellUp = async (): Promise<TestCell> => {
  const cell = await startTestCell();
  cleanUps.push(cell.close);
  return cell;
};

const edgeUp = async (answer: TestEdge["answer"]): Promise<TestEdge> => {
  const edge = await startTestEdge(answer);
  cleanUps.push(edge.close);
  return edge;
};

const answerFor = (cell: TestCell, changes: Readonly<Record<string, unknown>> = {}): RouteAnswer =>
  answerOf({
    endpoints: { mqtt: cell.url, mqttWs: null, https: "http://127.0.0.1" },
    standby: null,
    allowedHosts: ["127.0.0.1"],
    expiresAt: new Date(Date.now() + 600_000).toISOString(),
    ...changes,
  });

/** A vehicle whose waits are the shortest that it may choose. */
const drive = (edge: TestEdge, protocol: Protocol = 5) => {
  const events = { acknowledged: [] as string[], redirects: [] as string[], executed: [] as string[] };
  const vehicle: Vehicle = createVehicle({
    ...{ vin: VIN, protocol, random: () => 0, now: Date.now },
    resolve: (minEpoch) => resolveAtEdge([edge.url], { token: "device", minEpoch, nowMs: Date.now(), first: 0 }),
    deviceToken: async () => "device",
    onCommand: async (token, offer) => void (await offer(token, Date.now())),
    execute: async ({ id }) => {
      events.executed.push(id);
      return { state: "succeeded" };
    },
    observer: {
      onResolved: () => undefined,
      onResolveFailed: () => undefined,
      onConnected: () => undefined,
      onRefused: () => undefined,
      onRedirect: (url) => events.redirects.push(url),
      onAcknowledged: (message) => events.acknowledged.push(message.id),
      onRejected: () => undefined,
    },
  });
  cleanUps.push(vehicle.stop);
  vehicle.start();
  return { vehicle, events };
};

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 10 });

const publishFrom = (cell: TestCell, topic: string, payload: string) =>
  new Promise<void>((resolve, reject) =>
    cell.aedes.publish({ cmd: "publish", topic, payload, qos: 1, retain: false, dup: false }, (error) =>
      error ? reject(error) : resolve(),
    ),
  );

describe("the reference vehicle client", () => {
  test.each<Protocol>([4, 5])("resolves, connects with its ticket and publishes (MQTT %i)", async (protocol) => {
    const cell = await cellUp();
    const { vehicle, events } = drive(await edgeUp(() => answerFor(cell)), protocol);
    vehicle.publish("m1", { seq: 1 });
    await eventually(() => expect(events.acknowledged).toEqual(["m1"]));
    expect(cell.passwords).toEqual(["ticket"]);
  });

  test("I5: an MQTT 5 vehicle follows a Server Reference, then asks for the new cell's keys", async () => {
    const [wrong, right] = [await cellUp(), await cellUp()];
    wrong.login = () => ({ returnCode: 5, reasonCode: 0x9d, serverReference: right.url });
    const edge = await edgeUp(() => answerFor(edge.asked.length === 1 ? wrong : right, { epoch: edge.asked.length }));
    const { vehicle, events } = drive(edge);
    await eventually(() => expect(edge.asked).toHaveLength(2));
    expect(events.redirects).toEqual([right.url]);
    expect(edge.asked[1]?.["cloverleaf-min-epoch"]).toBe("2");
    await eventually(() => expect(vehicle.route?.epoch).toBe(2));
    expect([vehicle.isConnected, right.passwords.length]).toEqual([true, 1]);
  });

  test("I5: a 3.1.1 vehicle refused with code 5 resolves with its cached epoch + 1", async () => {
    const [wrong, right] = [await cellUp(), await cellUp()];
    wrong.login = () => ({ returnCode: 5 });
    const edge = await edgeUp(() => answerFor(edge.asked.length === 1 ? wrong : right));
    const { vehicle } = drive(edge, 4);
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    expect(edge.asked.map((headers) => headers["cloverleaf-min-epoch"])).toEqual([undefined, "4"]);
    expect(right.passwords).toEqual(["ticket"]);
  });

  test("I5: a 3.1.1 vehicle told `moved` by the session topic goes where it is told", async () => {
    const [source, target] = [await cellUp(), await cellUp()];
    const { vehicle, events } = drive(await edgeUp(() => answerFor(source)), 4);
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    const notice = JSON.stringify({ state: "moved", cell: "cell-b", epoch: 4, reference: target.url });
    await eventually(async () => {
      await publishFrom(source, `v1/${VIN}/session`, notice);
      expect(target.passwords).toEqual(["ticket"]);
    });
    expect(events.redirects).toEqual([target.url]);
  });

  test("I7: what was not acknowledged when the connection broke is sent again", async () => {
    const cell = await cellUp();
    const { vehicle, events } = drive(await edgeUp(() => answerFor(cell)));
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    cell.cut();
    vehicle.publish("m1", {});
    await eventually(() => expect(events.acknowledged).toEqual(["m1"]));
    expect(cell.passwords).toHaveLength(2);
  });

  test("I4: with the edge away and the ticket refused, the cached cell is reached with the device credential", async () => {
    const cell = await cellUp();
    const edge = await edgeUp(() => answerFor(cell));
    const { vehicle } = drive(edge);
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    edge.answer = () => ({ status: 503, retryAfter: "3600" });
    cell.login = (password) => (password === "device" ? null : { returnCode: 4 });
    cell.cut();
    await eventually(() => expect(cell.passwords).toEqual(["ticket", "ticket", "device"]));
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    expect(edge.asked).toHaveLength(1);
  });

  test("an unreachable cell gives way to its standby", async () => {
    const [dead, standby] = [await cellUp(), await cellUp()];
    await dead.close();
    cleanUps.splice(0, 1);
    const endpoints = { mqtt: standby.url, mqttWs: null, https: "http://127.0.0.1" };
    const { vehicle } = drive(await edgeUp(() => answerFor(dead, { standby: { cell: "cell-b", endpoints } })));
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    expect(standby.passwords).toEqual(["ticket"]);
  });

  test("I9: a command is verified with the edge's keys, executed once and its results are published", async () => {
    const cell = await cellUp();
    const jwk = await generateSigningJwk("cell-a");
    const { vehicle, events } = drive(await edgeUp(() => answerFor(cell, { commandKeys: { keys: [publicJwkOf(jwk)] } })));
    const results: string[] = [];
    cell.aedes.on("publish", (packet) => {
      if (packet.topic.endsWith("/result")) results.push(`${packet.topic} ${JSON.parse(packet.payload.toString()).state}`);
    });
    const iat = Math.floor(Date.now() / 1000);
    const command = { cell: "cell-a", vin: VIN, id: "c1", type: "horn.honk", arguments: {}, iat, exp: iat + 60 };
    const token = await signCommand(await importSigningKey(jwk), command);
    await eventually(() => expect(vehicle.isConnected).toBe(true));
    await eventually(async () => {
      await publishFrom(cell, `v1/${VIN}/commands`, token);
      expect(results.length).toBeGreaterThanOrEqual(3);
    });
    expect(events.executed).toEqual(["c1"]);
    const topic = `v1/${VIN}/commands/c1/result`;
    expect(new Set(results)).toEqual(new Set([`${topic} accepted`, `${topic} succeeded`]));
  });
});

describe("resolving", () => {
  const ask = (...routers: string[]) => resolveAtEdge(routers, { token: "device", minEpoch: null, nowMs: Date.now(), first: 0 });
  const dead = "http://127.0.0.1:1";

  test("another edge location answers when one cannot be reached or fails without a word", async () => {
    const broken = await edgeUp(() => ({ status: 500 }));
    const fine = await edgeUp(() => answerOf());
    expect(await ask(dead, broken.url, fine.url)).toMatchObject({ kind: "resolved", answer: { cell: "cell-a" } });
  });

  test("I11: an edge that says when to come back ends the round", async () => {
    const full = await edgeUp(() => ({ status: 503, retryAfter: "7" }));
    const other = await edgeUp(() => answerOf());
    expect(await ask(full.url, other.url)).toMatchObject({ kind: "resolve_failed", retryAfterMs: 7000 });
    expect(other.asked).toEqual([]);
  });

  test("no edge at all is a failure, not an exception", async () => {
    expect(await ask(dead)).toMatchObject({ kind: "resolve_failed", retryAfterMs: null });
  });
});
