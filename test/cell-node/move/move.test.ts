import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signPullToken } from "#schema/crypto/pull-token.ts";
import { OTHER, SELF, until } from "../support/cell.ts";
import { createSigner } from "../support/control.ts";
import { codeOf, connectPacketOf, connectRaw, PROTOCOLS } from "../support/mqtt.ts";
import { type Neighbours, startNeighbours } from "../support/neighbours.ts";
import { createTraveller, type Traveller } from "../support/traveller.ts";
import { assigned, deviceTokenFor, newVehicle, type TestVehicle } from "../support/vehicles.ts";

/** A move takes several syncs. On a busy machine about one in forty ended aborted or late; tried again until the cause is known. */
const PATIENT = { timeout: 20_000, retry: 2 };

let world: Neighbours;
let travellers: Traveller[];
beforeEach(async () => {
  world = await startNeighbours();
  travellers = [];
});
afterEach(async () => {
  await Promise.all(travellers.map((traveller) => traveller.stop()));
  await world.stop();
});

/** A vehicle of cell-a that both sides know of. */
const vehicleOfA = async (): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  world.control.assign(assigned(vehicle, SELF, 1));
  await until(async () => (await world.ask(SELF, vehicle, "telemetry")).status === 200);
  return vehicle;
};

const travel = (vehicle: TestVehicle, protocol: 4 | 5): Traveller => {
  const traveller = createTraveller(world.control, vehicle, world.cell(SELF).mqttPort, protocol);
  travellers.push(traveller);
  return traveller;
};

const untilState = (id: string, state: string) => until(() => world.moves.get(id).state === state);

const order = (cell: typeof SELF, vehicle: TestVehicle, key: string) =>
  world.ask(cell, vehicle, "commands", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ type: "doors.lock", arguments: { all: true }, expiresInSeconds: 300 }),
  });

type Ordered = { readonly id: string; readonly state: string; readonly expiresAt: string };

describe.each(PROTOCOLS)("MQTT %i: a connected vehicle is moved", PATIENT, (protocol) => {
  test("nothing that was acknowledged is missing, it is told where to go, and the source keeps its marker", async () => {
    const vehicle = await vehicleOfA();
    const traveller = travel(vehicle, protocol);
    await until(() => traveller.acknowledged.size > 20);
    const id = world.moves.start(vehicle, SELF, OTHER, 1);
    await untilState(id, "done");
    const before = traveller.acknowledged.size;
    await until(() => traveller.acknowledged.size > before + 20);

    expect(traveller.visited).toEqual([world.cell(SELF).mqttPort, world.cell(OTHER).mqttPort]);
    const acknowledged = [...traveller.acknowledged];
    const stored = await world.storedAt(OTHER, vehicle);
    expect(acknowledged.filter((n) => !stored.has(n))).toEqual([]);
    const late = await connectRaw(world.cell(SELF).mqttPort, connectPacketOf(vehicle, 5, await deviceTokenFor(world.control, vehicle)));
    late.client.destroy();
    expect([codeOf(late.connack), late.connack?.properties?.serverReference]).toEqual([0x9d, `127.0.0.1:${world.cell(OTHER).mqttPort}`]);
    expect((await world.ask(SELF, vehicle, "telemetry")).status).toBe(421);
  });
});

test(
  "I9: a pending command goes with the vehicle, under the same id, expiry and Idempotency-Key, signed by the target, once",
  PATIENT,
  async () => {
    const vehicle = await vehicleOfA();
    const ordered = (await (await order(SELF, vehicle, "key-1")).json()) as Ordered;
    expect(ordered.state).toBe("queued");
    const id = world.moves.start(vehicle, SELF, OTHER, 1);
    await untilState(id, "arriving");

    const repeated = (await (await order(OTHER, vehicle, "key-1")).json()) as Ordered;
    expect([repeated.id, repeated.expiresAt]).toEqual([ordered.id, ordered.expiresAt]);
    const traveller = travel(vehicle, 5);
    await until(() => traveller.executed.length > 0);
    await untilState(id, "done");
    await until(async () => ((await (await world.ask(OTHER, vehicle, `commands/${ordered.id}`)).json()) as Ordered).state === "succeeded");
    expect(traveller.received).toEqual([ordered.id]);
    const [token = ""] = traveller.tokens;
    expect(decodeJwt(token)).toMatchObject({ iss: OTHER, jti: ordered.id, exp: Date.parse(ordered.expiresAt) / 1000 });
  },
);

describe("a locked vehicle", PATIENT, () => {
  const lockOnly = async (vehicle: TestVehicle): Promise<string> => {
    world.moves.mayTake = ({ report }) => report.kind !== "locked";
    const id = world.moves.start(vehicle, SELF, OTHER, 1);
    await until(() => world.moves.told.some(({ report }) => report.kind === "locked"));
    return id;
  };
  const abort = async (id: string): Promise<void> => {
    world.moves.mayTake = () => true;
    world.moves.fail(id);
    await untilState(id, "aborted");
  };

  test("is refused over MQTT 5, 3.1.1 and HTTP; aborting restores it as it was", async () => {
    const vehicle = await vehicleOfA();
    const id = await lockOnly(vehicle);
    const codes = await Promise.all(
      PROTOCOLS.map(async (protocol) => {
        const packet = connectPacketOf(vehicle, protocol, await deviceTokenFor(world.control, vehicle));
        const { client, connack } = await connectRaw(world.cell(SELF).mqttPort, packet);
        client.destroy();
        return codeOf(connack);
      }),
    );
    expect(codes).toEqual([3, 0x89]);
    const refused = await order(SELF, vehicle, "key-2");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
    await abort(id);
    expect((await order(SELF, vehicle, "key-2")).status).toBe(201);
    expect((await world.ask(OTHER, vehicle, "telemetry")).status).toBe(421);
  });

  test("I7: what it publishes is not acknowledged while the lock holds, and is when the move is given up", async () => {
    const vehicle = await vehicleOfA();
    const traveller = travel(vehicle, 5);
    await until(() => traveller.acknowledged.size > 5);
    const id = await lockOnly(vehicle);
    const held = traveller.acknowledged.size;
    const stored = world.moves.told.length;
    await until(() => world.moves.told.length > stored || world.control.requests.length > 20);
    expect(traveller.acknowledged.size).toBeLessThanOrEqual(held + 4);
    const atMost = traveller.acknowledged.size;
    await abort(id);
    await until(() => traveller.acknowledged.size > atMost + 5);
    expect(new Set(traveller.visited)).toEqual(new Set([world.cell(SELF).mqttPort]));
  });

  test("is given to nobody who cannot sign for the target", async () => {
    const vehicle = await vehicleOfA();
    const id = await lockOnly(vehicle);
    const stranger = await createSigner("stranger");
    const token = await signPullToken(stranger.key, { target: OTHER, source: SELF, moveId: id, vinKey: vehicle.vinKey }, Date.now());
    const pull = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${world.cell(SELF).http}/v1/moves/${id}/vehicle`, { headers })).status;
    expect(await pull({})).toBe(401);
    expect(await pull({ authorization: `Bearer ${token}` })).toBe(401);
    await abort(id);
    expect(await pull({ authorization: `Bearer ${token}` })).toBe(401);
  });

  test("stays locked through a restart, and the copy is given up with the move", async () => {
    const vehicle = await vehicleOfA();
    world.moves.mayTake = ({ report }) => report.kind !== "copied";
    const id = world.moves.start(vehicle, SELF, OTHER, 1);
    await until(() => world.moves.told.some(({ report }) => report.kind === "copied"));
    await world.restart(SELF);
    await until(async () => (await world.ask(SELF, vehicle, "telemetry")).status === 503);
    expect((await world.ask(OTHER, vehicle, "telemetry")).status).toBe(503);
    await abort(id);
    await until(async () => (await world.ask(SELF, vehicle, "telemetry")).status === 200);
    await until(async () => (await world.ask(OTHER, vehicle, "telemetry")).status === 421);
  });
});

describe("a cell stops and starts again", PATIENT, () => {
  test.each([
    ["the source, when it has locked", SELF, "locked"],
    ["the target, when the source has locked", OTHER, "locked"],
    ["the source, when the target has copied", SELF, "copied"],
    ["the target, when it has copied", OTHER, "copied"],
    ["the source, when the target has stored ownership", SELF, "settled"],
    ["the target, when it has stored ownership", OTHER, "settled"],
  ] as const)("%s: the move ends, and nothing acknowledged is missing", async (_, restarted, at) => {
    const vehicle = await vehicleOfA();
    const traveller = travel(vehicle, 5);
    await until(() => traveller.acknowledged.size > 10);
    let isHeldBack = true;
    world.moves.mayTake = ({ report }) => !(isHeldBack && report.kind === at);
    const id = world.moves.start(vehicle, SELF, OTHER, 1);
    await until(() => world.moves.told.some(({ report }) => report.kind === at));
    await world.restart(restarted);
    isHeldBack = false;
    await untilState(id, "done");
    const before = traveller.acknowledged.size;
    await until(() => traveller.acknowledged.size > before + 10);
    const acknowledged = [...traveller.acknowledged];
    const stored = await world.storedAt(OTHER, vehicle);
    expect(acknowledged.filter((n) => !stored.has(n))).toEqual([]);
    expect(new Set(traveller.received).size).toBe(traveller.executed.length);
  });
});

test("there and back again: the second move starts from what the first one brought", PATIENT, async () => {
  const vehicle = await vehicleOfA();
  const traveller = travel(vehicle, 5);
  await until(() => traveller.acknowledged.size > 10);
  await untilState(world.moves.start(vehicle, SELF, OTHER, 1), "done");
  await untilState(world.moves.start(vehicle, OTHER, SELF, 2), "done");
  const before = traveller.acknowledged.size;
  await until(() => traveller.acknowledged.size > before + 10);
  const acknowledged = [...traveller.acknowledged];
  const stored = await world.storedAt(SELF, vehicle);
  expect(acknowledged.filter((n) => !stored.has(n))).toEqual([]);
});
