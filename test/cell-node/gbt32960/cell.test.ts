import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TelemetryPage } from "#schema/api/commands.ts";
import { createAuthority } from "../support/authority.ts";
import { newFolder, OTHER, OTHER_ENDPOINTS, removeFolder, SELF, startTestCell, type TestCell, until, untilReady } from "../support/cell.ts";
import { type Control, startControl } from "../support/control.ts";
import { connectPacketOf, connectRaw } from "../support/mqtt.ts";
import { assigned, newVehicle, ownerTokenFor, type TestVehicle, ticketFor } from "../support/vehicles.ts";
import { connectTls } from "./support/client.ts";
import { reportOf, TIME } from "./support/frames.ts";

let control: Control;
let folder: string;
let cell: TestCell;
const authority = createAuthority("vehicles' CA");
let port: number;

beforeAll(async () => {
  control = await startControl();
  control.view.endpoints = { [OTHER]: OTHER_ENDPOINTS };
  folder = await newFolder();
  const server = authority.issue({ commonName: "localhost", alternativeNames: [{ ipv4: "127.0.0.1" }] });
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  cell = await startTestCell(control.url, folder, {
    ...{ GBT32960_PORT: "0", GBT32960_CLIENT_CA_FILE: file("ca.pem", authority.certificate), MQTT_TLS_PORT: "0" },
    ...{ TLS_CERT_FILE: file("server.pem", server.cert), TLS_KEY_FILE: file("key.pem", server.key) },
  });
  port = cell.cell.ports.gbt32960 ?? 0;
  await untilReady(cell.http);
});
afterAll(async () => {
  await cell.stop();
  await control.stop();
  await removeFolder(folder);
});

const connect = ({ vin }: TestVehicle) => connectTls(port, authority, authority.issue({ commonName: vin }));

const newAssigned = async (): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  control.assign(assigned(vehicle, SELF, 1));
  const synced = control.requests.length + 2;
  await until(() => control.requests.length >= synced);
  return vehicle;
};

const telemetryOf = async (vehicle: TestVehicle): Promise<TelemetryPage> => {
  const authorization = `Bearer ${await ownerTokenFor(control, [vehicle])}`;
  return TelemetryPage.parse(
    await (await fetch(`${cell.http}/v1/vehicles/${vehicle.vin}/telemetry`, { headers: { authorization } })).json(),
  );
};

describe("GB/T 32960 at a cell", () => {
  test("a vehicle of this cell reports, and its owner reads it like any telemetry", async () => {
    const vehicle = await newAssigned();
    const client = await connect(vehicle);
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    expect((await telemetryOf(vehicle)).items).toMatchObject([{ payload: { at: new Date(TIME).toISOString(), speedKmh: 60.5, soc: 80 } }]);
    client.socket.end();
  });

  test("a vehicle that this cell does not know, or that moved on, gets the error flag and is closed", async () => {
    const stranger = await newVehicle();
    const unknown = await connect(stranger);
    unknown.send(reportOf(stranger.vin, { edition: 2025, units: "04 07d0" }));
    expect(await unknown.answer()).toMatchObject({ answer: 0x04 });
    await unknown.closed;
    const vehicle = await newAssigned();
    const client = await connect(vehicle);
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    control.assign(assigned(vehicle, OTHER, 2));
    const synced = control.requests.length + 2;
    await until(() => control.requests.length >= synced);
    client.send(reportOf(vehicle.vin, { time: "1a0b140b0001" }));
    expect(await client.answer()).toMatchObject({ answer: 0x02 });
    await client.closed;
  });

  test("never displaces an MQTT session of the same vehicle", async () => {
    const vehicle = await newAssigned();
    const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    const { client: mqtt } = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, password));
    const client = await connect(vehicle);
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    mqtt.send({ cmd: "pingreq" });
    expect(await mqtt.next("pingresp")).not.toBeNull();
    client.socket.end();
    mqtt.destroy();
  });
});
