import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PROOF_PATH, ProofAnswer } from "#schema/api/cells.ts";
import { verifyProof } from "#schema/crypto/assertion.ts";
import { createKeyRing } from "#schema/crypto/keys.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import { newFolder, OTHER, OTHER_ENDPOINTS, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { codeOf, connectPacketOf, connectRaw } from "./support/mqtt.ts";
import { assigned, deviceTokenFor, newVehicle, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cells: TestCell[];

beforeEach(async () => {
  control = await startControl();
  control.view.endpoints[OTHER] = OTHER_ENDPOINTS;
  folder = await newFolder();
  cells = [];
});
afterEach(async () => {
  await Promise.all(cells.map((cell) => cell.stop()));
  await control.stop();
  await removeFolder(folder);
});

const start = async (urls = control.url): Promise<TestCell> => {
  const cell = await startTestCell(urls, folder);
  cells.push(cell);
  return cell;
};
const startReady = async (urls = control.url): Promise<TestCell> => {
  const cell = await start(urls);
  await untilReady(cell.http);
  return cell;
};
const stop = async (cell: TestCell): Promise<void> => {
  cells = cells.filter((other) => other !== cell);
  await cell.stop();
};

const connectWithDevice = async (cell: TestCell, vehicle: TestVehicle) => {
  const { client, connack } = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, await deviceTokenFor(control, vehicle)));
  client.destroy();
  return codeOf(connack);
};

const lastRequest = () => control.requests.at(-1);

describe("identity", () => {
  test("registers once with its token and key, and proves the key at its endpoint", async () => {
    const cell = await startReady();
    expect(control.registrations).toHaveLength(1);
    const registration = control.registrations[0] as { publicKey: PublicJwk };
    expect(registration).toMatchObject({ joinToken: "a-join-token", id: SELF, endpoints: { mqtt: "mqtt://127.0.0.1:1884", mqttWs: null } });
    const response = await fetch(`${cell.http}${PROOF_PATH}?nonce=a-nonce-of-control`);
    const { proof } = ProofAnswer.parse(await response.json());
    const keys = createKeyRing([registration.publicKey]);
    expect(await verifyProof(proof, { keys, cell: SELF, nonce: "a-nonce-of-control", nowMs: Date.now() })).toEqual({ kind: "verified" });
    expect((await fetch(`${cell.http}${PROOF_PATH}`)).status).toBe(400);
  });

  test("the key file is its owner's alone; key and registration survive a restart, the incarnation rises", async () => {
    await stop(await startReady());
    expect(((await stat(join(folder, "cell-key.json"))).mode & 0o777).toString(8)).toBe("600");
    expect(lastRequest()?.observed.incarnation).toBe(1);
    await startReady();
    expect(control.registrations).toHaveLength(1);
    await expect.poll(() => lastRequest()?.observed.incarnation).toBe(2);
  });
});

describe("the feed", () => {
  test("a snapshot of several pages fills the table; a later change of owner reaches it", async () => {
    control.pageSize = 2;
    const vehicles = await Promise.all(Array.from({ length: 5 }, newVehicle));
    control.assign(...vehicles.map((vehicle) => assigned(vehicle, SELF, 4)));
    const cell = await startReady();
    for (const vehicle of vehicles) expect(await connectWithDevice(cell, vehicle)).toBe(0);
    const [first] = vehicles as [TestVehicle];
    control.assign(assigned(first, OTHER, 5));
    await expect.poll(() => connectWithDevice(cell, first), { timeout: 5000 }).toBe(0x9d);
  });

  test("I5: a change of owner ends the live session: MQTT 5 by DISCONNECT, 3.1.1 by its session topic", async () => {
    const [five, four] = [await newVehicle(), await newVehicle()];
    control.assign(assigned(five, SELF, 1), assigned(four, SELF, 1));
    const cell = await startReady();
    const live5 = await connectRaw(cell.mqttPort, connectPacketOf(five, 5, await deviceTokenFor(control, five)));
    const live4 = await connectRaw(cell.mqttPort, connectPacketOf(four, 4, await deviceTokenFor(control, four)));
    live4.client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `v1/${four.vin}/session`, qos: 1 }] });
    await live4.client.next("suback");
    control.assign(assigned(five, OTHER, 2), assigned(four, OTHER, 2));
    expect(await live5.client.next("disconnect")).toMatchObject({ reasonCode: 0x9d, properties: { serverReference: "127.0.0.1:2884" } });
    const notice = await live4.client.next("publish");
    expect(JSON.parse(notice?.payload.toString() ?? "")).toEqual({
      state: "moved",
      cell: OTHER,
      epoch: 2,
      reference: OTHER_ENDPOINTS.mqtt,
    });
    await Promise.all([live4.client.closed, live5.client.closed]);
  });

  test("I2: an epoch adopted from a ticket stays until the feed has caught up, and is confirmed by it", async () => {
    const vehicle = await newVehicle();
    control.assign(assigned(vehicle, OTHER, 2));
    const cell = await startReady();
    const ticket = await ticketFor(control, vehicle, { cell: SELF, epoch: 3 });
    const live = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, ticket));
    expect(codeOf(live.connack)).toBe(0);
    control.assign(assigned(vehicle, SELF, 3));
    const count = control.requests.length;
    await expect.poll(() => control.requests.length, { timeout: 8000 }).toBeGreaterThan(count + 1);
    expect(live.client.packets.map(({ cmd }) => cmd)).toEqual(["connack"]);
    live.client.destroy();
  });

  test("an own vehicle that a new snapshot does not name is dropped; a provisional one stays", async () => {
    const [kept, gone, provisional] = [await newVehicle(), await newVehicle(), await newVehicle()];
    control.assign(assigned(kept, SELF, 1), assigned(gone, SELF, 1));
    const cell = await startReady();
    const ticket = await ticketFor(control, provisional, { cell: SELF, epoch: 1 });
    (await connectRaw(cell.mqttPort, connectPacketOf(provisional, 5, ticket))).client.destroy();
    const live = await connectRaw(cell.mqttPort, connectPacketOf(gone, 5, await deviceTokenFor(control, gone)));
    control.assign(assigned(gone, OTHER, 2));
    control.timeline = 2;
    expect(await live.client.next("disconnect")).not.toBeNull();
    expect(await connectWithDevice(cell, gone)).toBe(0x87);
    expect(await connectWithDevice(cell, kept)).toBe(0);
    expect(await connectWithDevice(cell, provisional)).toBe(0);
  });

  test("an erased vehicle is gone, its session and data with it", async () => {
    const vehicle = await newVehicle();
    control.assign(assigned(vehicle, SELF, 1));
    const cell = await startReady();
    const live = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, await deviceTokenFor(control, vehicle)));
    control.assign(assigned(vehicle, null, 1));
    expect(await live.client.next("disconnect")).toMatchObject({ reasonCode: 0x87 });
    expect(await connectWithDevice(cell, vehicle)).toBe(0x87);
  });

  test("a revoked credential is refused once the view says so", async () => {
    const vehicle = await newVehicle();
    control.assign(assigned(vehicle, SELF, 1));
    const cell = await startReady();
    expect(await connectWithDevice(cell, vehicle)).toBe(0);
    control.view.revoked.push(control.device.jwk.kid);
    control.publishView();
    await expect.poll(() => connectWithDevice(cell, vehicle), { timeout: 5000 }).toBe(0x86);
  });

  test("nothing new is asked from the same cursor", async () => {
    await startReady();
    await expect.poll(() => control.requests.length, { timeout: 8000 }).toBeGreaterThan(2);
    const [cursor, view] = [lastRequest()?.cursor, lastRequest()?.viewVersion];
    expect(cursor).toMatch(/^1\.i\./);
    expect(view).toBe(1);
  });
});

describe("I4: alone", () => {
  test("a restarted cell serves its own vehicles with everything else down, and keeps its moved ones away", async () => {
    const [own, moved] = [await newVehicle(), await newVehicle()];
    control.assign(assigned(own, SELF, 1), assigned(moved, SELF, 1));
    const before = await startReady();
    control.assign(assigned(moved, OTHER, 2));
    await expect.poll(() => connectWithDevice(before, moved), { timeout: 5000 }).toBe(0x9d);
    await stop(before);
    const alone = await start("http://127.0.0.1:1");
    const { client, connack } = await connectRaw(alone.mqttPort, connectPacketOf(own, 5, await deviceTokenFor(control, own)));
    client.destroy();
    expect(connack).toMatchObject({ reasonCode: 0x89, properties: { userProperties: { "retry-after-ms": "2000" } } });
    expect((await fetch(`${alone.http}/readyz`)).status).toBe(503);
    await expect.poll(() => connectWithDevice(alone, own), { timeout: 14_000, interval: 500 }).toBe(0);
    expect(await connectWithDevice(alone, moved)).toBe(0x9d);
    expect((await fetch(`${alone.http}/readyz`)).status).toBe(200);
  }, 30_000);

  test("control's errors count as silence; another control-worker is tried at once", async () => {
    const standby = await startControl();
    const problem = { type: "about:blank", code: "not_the_writer", title: "", status: 503, detail: "", requestId: "", retryable: true };
    control.answerWith = () => Response.json(problem, { status: 503 });
    const cell = await start(`${control.url},${standby.url}`);
    await untilReady(cell.http);
    expect(standby.requests.length).toBeGreaterThan(0);
    await stop(cell);
    await standby.stop();
  });

  test("a clock that control calls wrong is mended by control's now", async () => {
    control.skewMs = 3_600_000;
    const vehicle = await newVehicle();
    control.assign(assigned(vehicle, SELF, 1));
    const cell = await startReady();
    const stale = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    const { client, connack } = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, stale));
    client.destroy();
    expect(codeOf(connack)).toBe(0x86);
    const fresh = await ticketFor(control, vehicle, { cell: SELF, epoch: 1, issuedMsAgo: -3_600_000 });
    const second = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, fresh));
    second.client.destroy();
    expect(codeOf(second.connack)).toBe(0);
  });
});
