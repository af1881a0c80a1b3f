import { hash, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { COMMANDS, encodeFrame, HEADER_BYTES } from "../../../cell-node/gbt32960/frame.ts";
import { encodeWith, LOGOUT, PLATFORM_LOGIN, VEHICLE_LOGIN } from "../../../cell-node/gbt32960/logins.ts";
import { newVehicle, type TestVehicle } from "../support/vehicles.ts";
import type { Client } from "./support/client.ts";
import { alarmUnit, hex, reportOf, requestOf, TIME, TIME_BYTES, VEHICLE_2016 } from "./support/frames.ts";
import { startListener, type TestListener } from "./support/listener.ts";

/** Reads the same in both editions. */
const OWN_UNIT = "80 0001 00";
const SECRET = "north's secret";
const platforms = [{ user: "north", passwordSha256: hash("sha256", SECRET), addresses: ["127.0.0.0/8"] }];

let cell: TestListener;
let elsewhere: TestListener;
beforeAll(async () => {
  cell = await startListener(platforms);
  elsewhere = await startListener([{ ...platforms[0], addresses: ["10.0.0.0/8"] } as (typeof platforms)[number]]);
});
afterAll(async () => {
  await cell.listener.close();
  await elsewhere.listener.close();
});
beforeEach(() => {
  cell.storage.beforeWrite = async () => undefined;
});

const connectVehicle = async (): Promise<{ vehicle: TestVehicle; client: Client }> => {
  const vehicle = await cell.newServed();
  return { vehicle, client: await cell.connectAs({ commonName: vehicle.vin }) };
};
const storedFor = ({ vin }: TestVehicle) => cell.storage.telemetry.filter((one) => one.vin === vin).map(({ telemetry }) => telemetry);
const eventsOf = ({ vin }: TestVehicle) => cell.storage.events.filter((one) => one.vin === vin).map(({ event }) => event);

const platformLogin = (user: string, password: string) =>
  requestOf({
    command: COMMANDS.platformLogin,
    id: "NORTH000000000001",
    data: encodeWith(PLATFORM_LOGIN, { time: TIME, serial: 1, user, password, encryption: "none" }),
  });

const connectPlatform = async (): Promise<Client> => {
  const client = await cell.connectWith({});
  client.send(platformLogin("north", SECRET));
  expect(await client.answer()).toMatchObject({ answer: 0x01 });
  return client;
};

describe("a vehicle with a certificate", () => {
  test("logs in, reports, keeps alive, sets its clock, logs out: each answered with its flag and time", async () => {
    const { vehicle, client } = await connectVehicle();
    const login = { time: TIME, serial: 1, iccid: "89860000000000000001", batteries: [["BATTERY1"]] };
    client.send(requestOf({ command: COMMANDS.vehicleLogin, id: vehicle.vin, data: encodeWith(VEHICLE_LOGIN[2016], login) }));
    expect(await client.answer()).toEqual({
      ...{ edition: 2016, command: COMMANDS.vehicleLogin, answer: 0x01, id: vehicle.vin, encryption: 1, data: hex(TIME_BYTES) },
    });
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toMatchObject({ command: COMMANDS.realtime, answer: 0x01, data: hex(TIME_BYTES) });
    client.send(requestOf({ command: COMMANDS.heartbeat, id: vehicle.vin }));
    expect(await client.answer()).toMatchObject({ command: COMMANDS.heartbeat, answer: 0x01, data: Buffer.alloc(0) });
    client.send(requestOf({ command: COMMANDS.clockSync, id: vehicle.vin }));
    expect(await client.answer()).toMatchObject({ command: COMMANDS.clockSync, answer: 0x01, data: hex("1a0b140b0005") });
    client.send(requestOf({ command: COMMANDS.vehicleLogout, id: vehicle.vin, data: encodeWith(LOGOUT, { time: TIME, serial: 1 }) }));
    expect(await client.answer()).toMatchObject({ command: COMMANDS.vehicleLogout, answer: 0x01 });
    expect(storedFor(vehicle)).toMatchObject([{ payload: { speedKmh: 60.5, soc: 80 } }]);
    expect(eventsOf(vehicle).map(({ type, data }) => [type, data])).toEqual([
      ["vehicle.login", { protocol: "gbt32960-2016", serial: 1, iccid: login.iccid, batteries: login.batteries }],
      ["vehicle.logout", { protocol: "gbt32960-2016", serial: 1 }],
    ]);
    client.socket.end();
  });

  test("is known by a urn:vin: name as well, and speaks the edition of 2025", async () => {
    const vehicle = await cell.newServed();
    const client = await cell.connectAs({ commonName: "a terminal", alternativeNames: [{ uri: `urn:vin:${vehicle.vin}` }] });
    client.send(reportOf(vehicle.vin, { edition: 2025, units: "04 07d0" }));
    expect(await client.answer()).toMatchObject({ edition: 2025, answer: 0x01 });
    expect(storedFor(vehicle)).toMatchObject([{ payload: { protocol: "gbt32960-2025", engine: { crankshaftRpm: 2000 } } }]);
    client.socket.end();
  });

  test("I7: success is said after the disk has it, not before", async () => {
    const { vehicle, client } = await connectVehicle();
    const { promise, resolve } = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    cell.storage.beforeWrite = () => {
      reached.resolve();
      return promise;
    };
    client.send(reportOf(vehicle.vin));
    await reached.promise;
    let isAnswered = false;
    const answer = client.answer().finally(() => {
      isAnswered = true;
    });
    await new Promise((done) => setImmediate(done));
    expect(isAnswered).toBe(false);
    resolve();
    expect(await answer).toMatchObject({ answer: 0x01 });
    expect(storedFor(vehicle)).toHaveLength(1);
    client.socket.end();
  });

  test("I7: what could not be stored is answered with an error, and an alarm in it is told when it is sent again", async () => {
    const { vehicle, client } = await connectVehicle();
    const report = reportOf(vehicle.vin, { units: alarmUnit(3, "00000002") });
    cell.storage.beforeWrite = () => Promise.reject(new Error("disk full"));
    client.send(report);
    expect(await client.answer()).toMatchObject({ answer: 0x02, data: hex(TIME_BYTES) });
    cell.storage.beforeWrite = async () => undefined;
    client.send(report);
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    expect(eventsOf(vehicle)).toMatchObject([{ type: "vehicle.alarm", data: { level: 3, raised: ["battery_overheat"] } }]);
    client.socket.end();
  });

  test("a standing alarm is one event, its end another; a report sent again has the id it had", async () => {
    const { vehicle, client } = await connectVehicle();
    const second = "1a0b140b0001";
    client.send(
      reportOf(vehicle.vin, { units: alarmUnit(1, "00000010") }),
      reportOf(vehicle.vin, { time: second, units: alarmUnit(1, "00000010") }),
      reportOf(vehicle.vin, { time: "1a0b140b0002", units: alarmUnit(0, "00000000") }),
      reportOf(vehicle.vin, { time: second, units: alarmUnit(1, "00000010"), command: COMMANDS.reissue }),
    );
    for (let i = 0; i < 4; i++) expect(await client.answer()).toMatchObject({ answer: 0x01 });
    expect(eventsOf(vehicle).map(({ type }) => type)).toEqual(["vehicle.alarm", "vehicle.alarm.lifted", "vehicle.alarm"]);
    const ids = storedFor(vehicle).map(({ id }) => id);
    expect(ids[3]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
    client.socket.end();
  });

  test("I8: speaks for itself only: another's VIN is refused and ends the connection", async () => {
    const { vehicle, client } = await connectVehicle();
    const other = await cell.newServed();
    client.send(reportOf(other.vin, { edition: 2025, units: "04 07d0" }));
    expect(await client.answer()).toMatchObject({ answer: 0x04 });
    await client.closed;
    expect([...storedFor(vehicle), ...storedFor(other)]).toEqual([]);
  });

  test.each([
    ["resolve_first", 2016, 0x02],
    ["moved", 2025, 0x04],
    ["busy", 2025, 0x02],
  ] as const)("of another cell (%s, edition %i) gets the error flag and is closed, at any frame", async (refusal, edition, flag) => {
    const { vehicle, client } = await connectVehicle();
    client.send(reportOf(vehicle.vin, { edition, units: OWN_UNIT }));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    cell.served.set(vehicle.vin, { kind: "refused", refusal });
    client.send(reportOf(vehicle.vin, { edition, time: "1a0b140b0001", units: OWN_UNIT }));
    expect(await client.answer()).toMatchObject({ answer: flag });
    await client.closed;
    expect(storedFor(vehicle)).toHaveLength(1);
  });

  test("a new connection of a vehicle ends its former one (B.2.7)", async () => {
    const { vehicle, client } = await connectVehicle();
    const next = await cell.connectAs({ commonName: vehicle.vin });
    await client.closed;
    next.send(reportOf(vehicle.vin));
    expect(await next.answer()).toMatchObject({ answer: 0x01 });
    next.socket.end();
  });

  test("malformed, encrypted, damaged and unknown frames are answered with errors; the connection stays", async () => {
    const { vehicle, client } = await connectVehicle();
    const frame = {
      edition: 2025,
      command: COMMANDS.realtime,
      answer: 0xfe,
      id: vehicle.vin,
      encryption: 1,
      data: hex(TIME_BYTES, "01 01"),
    } as const;
    const damaged = encodeFrame(frame);
    damaged[HEADER_BYTES + 2] = 0;
    client.send(encodeFrame(frame), encodeFrame({ ...frame, encryption: 3 }), damaged, encodeFrame({ ...frame, command: 0x0b }));
    for (const flag of [0x06, 0x07, 0x02, 0x02]) expect(await client.answer()).toMatchObject({ edition: 2025, answer: flag });
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    client.socket.end();
  });

  test("an answer is not answered (§6.3.2)", async () => {
    const { vehicle, client } = await connectVehicle();
    const answer = encodeFrame({
      edition: 2016,
      command: COMMANDS.heartbeat,
      answer: 0x01,
      id: vehicle.vin,
      encryption: 1,
      data: Buffer.alloc(0),
    });
    client.send(answer, requestOf({ command: COMMANDS.clockSync, id: vehicle.vin }));
    expect(await client.answer()).toMatchObject({ command: COMMANDS.clockSync });
    client.socket.end();
  });

  test("what is not GB/T 32960 ends the connection", async () => {
    const { vehicle, client } = await connectVehicle();
    client.send(requestOf({ command: COMMANDS.heartbeat, id: vehicle.vin }), Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    await client.closed;
  });
});

describe("who is not let in", () => {
  const expectRefused = async (client: Client, vehicle: TestVehicle) => {
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toBeNull();
    expect(storedFor(vehicle)).toEqual([]);
  };

  test("a certificate of another authority, though its address is a platform's", async () => {
    const vehicle = await cell.newServed();
    await expectRefused(await cell.connectWith(cell.stranger.issue({ commonName: vehicle.vin })), vehicle);
  });

  test("a certificate that has expired", async () => {
    const vehicle = await cell.newServed();
    await expectRefused(await cell.connectWith(cell.authority.issue({ commonName: vehicle.vin }, { notAfter: new Date(0) })), vehicle);
  });

  test("a certificate that names no VIN, or two", async () => {
    const vehicle = await cell.newServed();
    const { vin } = await newVehicle();
    await expectRefused(await cell.connectAs({ commonName: "a terminal" }), vehicle);
    await expectRefused(await cell.connectAs({ commonName: vehicle.vin, alternativeNames: [{ uri: `urn:vin:${vin}` }] }), vehicle);
  });

  test("a certificate that was revoked, by fingerprint or serial number", async () => {
    const vehicle = await cell.newServed();
    for (const name of ["fingerprint256", "serialNumber"] as const) {
      const identity = cell.authority.issue({ commonName: vehicle.vin });
      cell.revoked.add(new X509Certificate(identity.cert)[name].replaceAll(":", "").toLowerCase());
      await expectRefused(await cell.connectWith(identity), vehicle);
    }
  });

  test("nobody without a certificate, outside the platforms' addresses", async () => {
    const client = await elsewhere.connectWith({});
    client.send(platformLogin("north", SECRET));
    expect(await client.answer()).toBeNull();
    expect(elsewhere.counted.connections).toContain("stranger");
  });
});

describe("certificates", () => {
  test("are reloaded when their files change; half-written ones are not, and nobody is cut off", async () => {
    const own = await startListener();
    const vehicle = await own.newServed();
    const client = await own.connectAs({ commonName: vehicle.vin });
    const prober = await own.newServed();
    const serialShown = async () => {
      const { socket } = await own.connectAs({ commonName: prober.vin });
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serialShown();
    writeFileSync(own.files.certificate, "half a certificate");
    expect(await serialShown()).toBe(before);
    const { cert, key } = own.authority.issue({ commonName: "localhost", alternativeNames: [{ ipv4: "127.0.0.1" }] });
    writeFileSync(own.files.key, key);
    writeFileSync(own.files.certificate, cert);
    const after = new X509Certificate(cert).serialNumber;
    while ((await serialShown()) !== after) await new Promise((resolve) => setImmediate(resolve));
    client.send(reportOf(vehicle.vin));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    await own.listener.close();
  });
});

describe("a platform", () => {
  test("reports for many vehicles once it has logged in, each by its own VIN", async () => {
    const client = await connectPlatform();
    const vehicles = await Promise.all(Array.from({ length: 20 }, () => cell.newServed()));
    client.send(...vehicles.map(({ vin }) => reportOf(vin)));
    for (const { vin } of vehicles) expect(await client.answer()).toMatchObject({ id: vin, answer: 0x01 });
    for (const vehicle of vehicles) expect(storedFor(vehicle)).toHaveLength(1);
    client.send(requestOf({ command: COMMANDS.platformLogout, id: "NORTH", data: encodeWith(LOGOUT, { time: TIME, serial: 1 }) }));
    expect(await client.answer()).toMatchObject({ answer: 0x01 });
    await client.closed;
  });

  test("gets the error flag for a vehicle of another cell, and goes on with the others", async () => {
    const client = await connectPlatform();
    const [stranger, served] = [await newVehicle(), await cell.newServed()];
    client.send(reportOf(stranger.vin, { edition: 2025, units: "04 07d0" }), reportOf("NOT A VIN"), reportOf(served.vin));
    expect(await client.answer()).toMatchObject({ id: stranger.vin, answer: 0x04 });
    expect(await client.answer()).toMatchObject({ id: "NOT A VIN", answer: 0x02 });
    expect(await client.answer()).toMatchObject({ id: served.vin, answer: 0x01 });
    expect(storedFor(stranger)).toEqual([]);
    client.socket.end();
  });

  test.each([
    ["north", "a wrong secret"],
    ["south", SECRET],
  ])("with a wrong login (%s, %s) is refused and closed", async (user, password) => {
    const client = await cell.connectWith({});
    client.send(platformLogin(user, password));
    expect(await client.answer()).toMatchObject({ answer: 0x02 });
    await client.closed;
  });

  test("says nothing before it has logged in", async () => {
    const vehicle = await cell.newServed();
    const client = await cell.connectWith({});
    client.send(reportOf(vehicle.vin, { units: VEHICLE_2016 }), platformLogin("north", SECRET));
    expect(await client.answer()).toMatchObject({ answer: 0x02 });
    await client.closed;
    expect(storedFor(vehicle)).toEqual([]);
  });
});
