import mqtt from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MERGE_PATCH_TYPE, TwinAnswer, TwinHistory } from "#schema/api/twin.ts";
import { OTHER, SELF, until } from "../support/cell.ts";
import { type Neighbours, startNeighbours } from "../support/neighbours.ts";
import { assigned, deviceTokenFor, newVehicle, type TestVehicle } from "../support/vehicles.ts";

let world: Neighbours;
beforeEach(async () => {
  world = await startNeighbours();
});
afterEach(() => world.stop());

const vehicleOfA = async (): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  world.control.assign(assigned(vehicle, SELF, 1));
  await until(async () => (await world.ask(SELF, vehicle, "twin")).status === 200);
  return vehicle;
};

const report = async (vehicle: TestVehicle, patch: object): Promise<void> => {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${world.cell(SELF).mqttPort}`, {
    ...{ protocolVersion: 5, clientId: vehicle.vin, username: vehicle.vin, reconnectPeriod: 0 },
    password: await deviceTokenFor(world.control, vehicle),
  });
  await client.publishAsync(`v1/${vehicle.vin}/twin/reported`, JSON.stringify(patch), { qos: 1 });
  await client.endAsync();
};

const patch = (cell: typeof SELF, vehicle: TestVehicle, change: object) =>
  world.ask(cell, vehicle, "twin/desired", {
    method: "PATCH",
    headers: { "content-type": MERGE_PATCH_TYPE, "if-match": "*" },
    body: JSON.stringify(change),
  });
const twinAt = async (cell: typeof SELF, vehicle: TestVehicle) => TwinAnswer.parse(await (await world.ask(cell, vehicle, "twin")).json());
const historyAt = async (cell: typeof SELF, vehicle: TestVehicle) =>
  TwinHistory.parse(await (await world.ask(cell, vehicle, "twin/history")).json());

test("the twin goes with the vehicle, its history too, and goes on from there", async () => {
  const vehicle = await vehicleOfA();
  await report(vehicle, { soc: 40, activity: "charging", $stamp: { boot: 2, seq: 9 }, $desired: { term: 0, version: 1 } });
  await patch(SELF, vehicle, { limit: 80 });
  await patch(SELF, vehicle, { mode: "eco" });
  const [twin, history] = [await twinAt(SELF, vehicle), await historyAt(SELF, vehicle)];
  const id = world.moves.start(vehicle, SELF, OTHER, 1);
  await until(() => world.moves.get(id).state === "arriving");

  expect(await twinAt(OTHER, vehicle)).toEqual(twin);
  expect(await historyAt(OTHER, vehicle)).toEqual(history);
  await until(async () => (await world.ask(SELF, vehicle, "twin")).status === 421);
  expect(await (await patch(OTHER, vehicle, { mode: null })).json()).toMatchObject({ version: 3, document: { limit: 80 } });
});

test("a vehicle that drives is not locked until it has parked", async () => {
  const vehicle = await vehicleOfA();
  await report(vehicle, { activity: "driving" });
  const id = world.moves.start(vehicle, SELF, OTHER, 1);
  await until(() => world.moves.told.some(({ report }) => report.kind === "waiting" && report.disturbance === "drive"));
  expect(world.moves.get(id).state).toBe("locking");
  await report(vehicle, { activity: "parked" });
  await until(() => world.moves.get(id).state === "arriving");
});
