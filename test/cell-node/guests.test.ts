import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEngine } from "../../cell-node/store/engine.ts";
import { createStore } from "../../cell-node/store/store.ts";
import { newFolder, OTHER, OTHER_ENDPOINTS, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { codeOf, connectPacketOf, connectRaw, PROTOCOLS } from "./support/mqtt.ts";
import { deviceTokenFor, newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cell: TestCell | null;
beforeEach(async () => {
  control = await startControl();
  control.view.endpoints[OTHER] = OTHER_ENDPOINTS;
  folder = await newFolder();
  cell = null;
});
afterEach(async () => {
  await cell?.stop();
  await control.stop();
  await removeFolder(folder);
});

const start = async (): Promise<TestCell> => {
  cell = await startTestCell(control.url, folder);
  await untilReady(cell.http);
  return cell;
};

/** Reason code of MQTT 5, return code of 3.1.1. */
const codesFor = async ({ mqttPort }: TestCell, vehicle: TestVehicle, password: string) =>
  Promise.all(
    PROTOCOLS.toReversed().map(async (protocol) => {
      const { client, connack } = await connectRaw(mqttPort, connectPacketOf(vehicle, protocol, password));
      client.destroy();
      return codeOf(connack);
    }),
  );

describe("a standby's guests", () => {
  test("rows 11, 10 and 12: refused until the failover is known, admitted while it lasts, refused while it is being returned", async () => {
    control.view.standbyFor = [OTHER];
    const standby = await start();
    const vehicle = await newVehicle();
    const ticket = await ticketFor(control, vehicle, { cell: OTHER, epoch: 4, reason: "failover" });
    expect(await codesFor(standby, vehicle, ticket)).toEqual([0x89, 3]);

    control.view.failedOver = [{ cell: OTHER, term: 1 }];
    control.publishView();
    await expect.poll(() => codesFor(standby, vehicle, ticket), { timeout: 5000 }).toEqual([0, 0]);
    const { client } = await connectRaw(standby.mqttPort, connectPacketOf(vehicle, 5, ticket));
    const telemetry = { topic: `v1/${vehicle.vin}/telemetry`, payload: "{}", qos: 1 as const, messageId: 1, dup: false, retain: false };
    client.send({ cmd: "publish", ...telemetry });
    expect(await client.next("puback")).toMatchObject({ reasonCode: 0 });
    client.destroy();

    control.view.failedOver = [];
    control.publishView();
    await expect.poll(() => codesFor(standby, vehicle, ticket), { timeout: 5000 }).toEqual([0x89, 3]);
  });
});

test("row 7: a locked vehicle is asked to wait, over MQTT and HTTP, and a restart does not unlock it", async () => {
  const vehicle = await newVehicle();
  const engine = await startEngine({ path: join(folder, "cell.db"), onFatal: () => undefined });
  const row = {
    number: 1,
    vin: vehicle.vin,
    vinKey: vehicle.vinKey,
    state: "locked",
    epoch: 3,
    otherCell: null,
    isProvisional: false,
    since: 1,
  };
  await createStore(engine).save({ vehicles: [row] });
  await engine.close();
  control.assign({ ...vehicle, cell: SELF, epoch: 3 });
  const locked = await start();
  for (const password of [await deviceTokenFor(control, vehicle), await ticketFor(control, vehicle, { cell: SELF, epoch: 3 })]) {
    expect(await codesFor(locked, vehicle, password)).toEqual([0x89, 3]);
  }
  const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
  const response = await fetch(`${locked.http}/v1/vehicles/${vehicle.vin}/telemetry`, { headers: { authorization } });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
});
