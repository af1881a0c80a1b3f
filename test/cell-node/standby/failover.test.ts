import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FailoverAccount } from "#schema/api/failover.ts";
import { CellReport } from "#schema/api/sync.ts";
import { OTHER, SELF, until } from "../support/cell.ts";
import { codeOf, connectPacketOf, connectRaw } from "../support/mqtt.ts";
import { type Neighbours, startNeighbours } from "../support/neighbours.ts";
import { createTraveller, type Traveller } from "../support/traveller.ts";
import { assigned, deviceTokenFor, newVehicle, type TestVehicle } from "../support/vehicles.ts";

let world: Neighbours;
let travellers: Traveller[];
let account: FailoverAccount;
/** The last number of guests that the standby has reported, in the term of the return. */
let guests: number | null;

beforeEach(async () => {
  account = { cell: SELF, phase: "serving", term: 0, standby: null };
  guests = null;
  world = await startNeighbours();
  travellers = [];
  const { control } = world;
  const movesOf = control.extend;
  control.extend = (cell, request) => {
    for (const item of request.observed.reports) {
      const report = CellReport.parse(item);
      if (report.kind === "guests" && report.term === account.term) guests = report.guests;
    }
    return { ...movesOf?.(cell, request), failovers: [account], syncAfterMs: 100 };
  };
  control.viewOf = (cell) => (cell === SELF ? { standby: OTHER } : { standbyFor: [SELF] });
  control.publishView();
});
afterEach(async () => {
  await Promise.all(travellers.map((traveller) => traveller.stop()));
  await world.stop();
});

const vehicleOfA = async (): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  world.control.assign(assigned(vehicle, SELF, 1));
  await until(async () => (await world.ask(SELF, vehicle, "telemetry")).status === 200);
  return vehicle;
};

const lagAt = async (cell: typeof SELF): Promise<number> => {
  const text = await (await fetch(`${world.cell(cell).http}/metrics`)).text();
  return Number(/^cloverleaf_cell_standby_lag_seconds (\S+)/m.exec(text)?.[1]);
};

const order = async (cell: typeof SELF, vehicle: TestVehicle, key: string) => {
  const response = await world.ask(cell, vehicle, "commands", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ type: "doors.lock", arguments: {}, expiresInSeconds: 300 }),
  });
  return (await response.json()) as { id: string; state: string; expiresAt: string };
};

const desire = async (cell: typeof SELF, vehicle: TestVehicle, patch: object): Promise<number> => {
  const headers = { "content-type": "application/merge-patch+json", "if-match": "*" };
  return (await world.ask(cell, vehicle, "twin/desired", { method: "PATCH", headers, body: JSON.stringify(patch) })).status;
};

const desiredAt = async (cell: typeof SELF, vehicle: TestVehicle): Promise<unknown> => {
  const twin = (await (await world.ask(cell, vehicle, "twin")).json()) as { desired: { document: unknown } };
  return twin.desired.document;
};

const failOver = (): void => {
  account = { cell: SELF, phase: "failed_over", term: account.term + 1, standby: OTHER };
};

const codeAt = async (cell: typeof SELF, vehicle: TestVehicle): Promise<number | undefined> => {
  const packet = connectPacketOf(vehicle, 5, await deviceTokenFor(world.control, vehicle));
  const { client, connack } = await connectRaw(world.cell(cell).mqttPort, packet);
  client.destroy();
  return codeOf(connack);
};

describe("a cell that is given up", { timeout: 20_000 }, () => {
  test("I9: its standby admits its vehicles from the replica, also by device credential alone, and serves the command that was pending", async () => {
    const vehicle = await vehicleOfA();
    const ordered = await order(SELF, vehicle, "before");
    expect(await desire(SELF, vehicle, { climate: 21 })).toBe(200);
    await until(async () => (await lagAt(SELF)) === 0);
    await until(async () => (await codeAt(OTHER, vehicle)) !== 0x89);
    failOver();
    await until(async () => (await codeAt(SELF, vehicle)) === 0x89);
    const traveller = createTraveller(world.control, vehicle, world.cell(OTHER).mqttPort, 5);
    travellers.push(traveller);
    await until(() => traveller.executed.length === 1);
    expect(traveller.received).toEqual([ordered.id]);
    expect(decodeJwt(traveller.tokens[0] ?? "")).toMatchObject({ iss: OTHER, exp: Date.parse(ordered.expiresAt) / 1000 });
    expect((await order(OTHER, vehicle, "before")).id).toBe(ordered.id);
    expect(await desiredAt(OTHER, vehicle)).toEqual({ climate: 21 });
  });

  test("I7: a connected vehicle is sent to the standby; on return it comes home, with the commands of both, and nothing acknowledged is missing", async () => {
    const vehicle = await vehicleOfA();
    const traveller = createTraveller(world.control, vehicle, world.cell(SELF).mqttPort, 5);
    travellers.push(traveller);
    await until(() => traveller.acknowledged.size > 5);
    await until(async () => (await lagAt(SELF)) === 0);
    failOver();
    await until(() => traveller.visited.at(-1) === world.cell(OTHER).mqttPort);
    const away = traveller.acknowledged.size;
    await until(() => traveller.acknowledged.size > away + 5);
    const atStandby = await order(OTHER, vehicle, "meanwhile");
    await until(() => traveller.executed.includes(atStandby.id));
    expect(await desire(OTHER, vehicle, { seat: 2 })).toBe(200);

    account = { ...account, phase: "returning" };
    await until(() => guests === 0);
    account = { ...account, phase: "serving" };
    await until(() => traveller.visited.at(-1) === world.cell(SELF).mqttPort);
    const home = traveller.acknowledged.size;
    await until(() => traveller.acknowledged.size > home + 5);
    const acknowledged = [...traveller.acknowledged];
    const [here, there] = [world.onDiskAt(SELF, vehicle), world.onDiskAt(OTHER, vehicle)];
    const heard = await world.ask(SELF, vehicle, `commands/${atStandby.id}`);
    expect(((await heard.json()) as { state: string }).state).toBe("succeeded");
    expect(there.size).toBeGreaterThan(0);
    expect(acknowledged.filter((n) => !here.has(n) && !there.has(n))).toEqual([]);
    expect(await desiredAt(SELF, vehicle)).toEqual({ seat: 2 });
    expect(traveller.executed).toEqual([...new Set(traveller.received)]);
  });

  test("a standby that starts again has its replica", async () => {
    const vehicle = await vehicleOfA();
    const ordered = await order(SELF, vehicle, "before");
    await until(async () => (await lagAt(SELF)) === 0);
    await world.lose(SELF);
    await world.restart(OTHER);
    failOver();
    const traveller = createTraveller(world.control, vehicle, world.cell(OTHER).mqttPort, 5);
    travellers.push(traveller);
    await until(() => traveller.executed.includes(ordered.id));
  });
});
