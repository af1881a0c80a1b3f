import type { IConnectPacket } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newFolder, OTHER, OTHER_ENDPOINTS, removeFolder, SELF, startTestCell, type TestCell, untilReady } from "./support/cell.ts";
import { type Control, startControl } from "./support/control.ts";
import { codeOf, connectPacketOf, connectRaw, openRaw, PROTOCOLS, type Protocol } from "./support/mqtt.ts";
import { deviceTokenFor, newVehicle, type TestVehicle, ticketFor } from "./support/vehicles.ts";

let control: Control;
let folder: string;
let cell: TestCell;

beforeAll(async () => {
  control = await startControl();
  control.view.endpoints[OTHER] = OTHER_ENDPOINTS;
  folder = await newFolder();
  cell = await startTestCell(control.url, folder);
  await untilReady(cell.http);
});
afterAll(async () => {
  await cell.stop();
  await control.stop();
  await removeFolder(folder);
});

/** A vehicle that the cell knows to be owned by `owner` at `epoch`, learnt from tickets alone. */
const vehicleAt = async (owner: typeof SELF, epoch: number): Promise<TestVehicle> => {
  const vehicle = await newVehicle();
  const own = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 })));
  own.client.destroy();
  if (owner !== SELF || epoch !== 1) {
    const next = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: owner, epoch })));
    next.client.destroy();
  }
  return vehicle;
};

const attempt = async (packet: IConnectPacket) => {
  const { client, connack } = await connectRaw(cell.mqttPort, packet);
  client.destroy();
  const code = codeOf(connack);
  return { code, ...connack?.properties };
};

type Case = {
  readonly name: string;
  readonly vehicle: () => Promise<TestVehicle>;
  readonly password: (vehicle: TestVehicle) => Promise<string>;
  readonly more?: (vehicle: TestVehicle) => Partial<IConnectPacket>;
  /** Reason code of MQTT 5 and return code of 3.1.1. */
  readonly codes: readonly [number, number];
  readonly reference?: string;
  readonly epoch?: string;
};

const OTHER_REFERENCE = "127.0.0.1:2884";
const HOUR_MS = 3_600_000;

const CASES: readonly Case[] = [
  { name: "row 2: no signature", vehicle: newVehicle, password: async () => "nonsense", codes: [0x86, 4] },
  {
    name: "row 2: an expired ticket that brings no news",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 1, issuedMsAgo: HOUR_MS }),
    codes: [0x86, 4],
  },
  {
    name: "row 3: another client id",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
    more: () => ({ clientId: "somebody-else" }),
    codes: [0x85, 2],
  },
  {
    name: "row 3: another user name",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
    more: () => ({ username: "somebody-else" }),
    codes: [0x85, 2],
  },
  {
    name: "row 3: no user name",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
    more: () => ({ username: "" }),
    codes: [0x85, 2],
  },
  {
    name: "row 5: a ticket with news of another owner",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: OTHER, epoch: 2 }),
    codes: [0x9d, 5],
    reference: OTHER_REFERENCE,
    epoch: "2",
  },
  {
    name: "row 5: an expired ticket is still evidence",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: OTHER, epoch: 2, issuedMsAgo: HOUR_MS }),
    codes: [0x9d, 5],
    reference: OTHER_REFERENCE,
    epoch: "2",
  },
  {
    name: "row 6: an unknown vehicle with a ticket for this cell",
    vehicle: newVehicle,
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 7 }),
    codes: [0, 0],
  },
  {
    name: "row 6: a newer epoch brings a moved vehicle home",
    vehicle: () => vehicleAt(OTHER, 2),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 3 }),
    codes: [0, 0],
  },
  {
    name: "row 8: its own vehicle with a ticket",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
    codes: [0, 0],
  },
  {
    name: "row 8: its own vehicle with a device credential",
    vehicle: () => vehicleAt(SELF, 1),
    password: (vehicle) => deviceTokenFor(control, vehicle),
    codes: [0, 0],
  },
  {
    name: "row 9: a moved vehicle with its old ticket",
    vehicle: () => vehicleAt(OTHER, 2),
    password: (vehicle) => ticketFor(control, vehicle, { cell: SELF, epoch: 1 }),
    codes: [0x9d, 5],
    reference: OTHER_REFERENCE,
    epoch: "2",
  },
  {
    name: "row 9: a moved vehicle with its device credential",
    vehicle: () => vehicleAt(OTHER, 2),
    password: (vehicle) => deviceTokenFor(control, vehicle),
    codes: [0x9d, 5],
    reference: OTHER_REFERENCE,
    epoch: "2",
  },
  {
    name: "row 13: a stranger whose ticket names another cell",
    vehicle: newVehicle,
    password: (vehicle) => ticketFor(control, vehicle, { cell: OTHER, epoch: 4 }),
    codes: [0x9c, 5],
    reference: OTHER_REFERENCE,
    epoch: "4",
  },
  {
    name: "row 13: a stranger with a device credential",
    vehicle: newVehicle,
    password: (vehicle) => deviceTokenFor(control, vehicle),
    codes: [0x87, 5],
  },
];

describe("admission over the wire", () => {
  for (const protocol of PROTOCOLS) {
    test.each(CASES)(`${protocol === 5 ? "MQTT 5" : "MQTT 3.1.1"}: $name`, async ({ vehicle, password, more, codes, reference, epoch }) => {
      const subject = await vehicle();
      const answer = await attempt(connectPacketOf(subject, protocol, await password(subject), more?.(subject)));
      expect(answer.code).toBe(codes[protocol === 5 ? 0 : 1]);
      if (protocol !== 5) return;
      expect(answer.serverReference).toBe(reference);
      expect(answer.userProperties?.["epoch"]).toBe(epoch);
      if (answer.code !== 0) expect(answer.reasonString).toMatch(/./);
    });
  }

  test("row 2: a ticket of an unknown POP asks for the device credential", async () => {
    const stranger = await startControl();
    const vehicle = await vehicleAt(SELF, 1);
    const answer = await attempt(connectPacketOf(vehicle, 5, await ticketFor(stranger, vehicle, { cell: SELF, epoch: 1 })));
    await stranger.stop();
    expect(answer).toMatchObject({ code: 0x86, reasonString: "present device credential" });
  });

  test("I2: an epoch learnt from a ticket is never lowered by an older one", async () => {
    const vehicle = await vehicleAt(OTHER, 9);
    const old = await attempt(connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 8 })));
    expect(old).toMatchObject({ code: 0x9d, serverReference: OTHER_REFERENCE });
    expect(old.userProperties?.["epoch"]).toBe("9");
  });

  test("I2: a newer ticket for another cell ends the live session", async () => {
    const vehicle = await newVehicle();
    const live = await connectRaw(cell.mqttPort, connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 })));
    await attempt(connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: OTHER, epoch: 2 })));
    const goodbye = await live.client.next("disconnect");
    expect(goodbye).toMatchObject({ reasonCode: 0x9d, properties: { serverReference: OTHER_REFERENCE } });
  });
});

describe("CONNECT", () => {
  const combinations = PROTOCOLS.flatMap((protocol) =>
    [true, false].flatMap((clean) => [0, 10, 65_535].map((keepalive) => ({ protocol, clean, keepalive }))),
  );

  test.each(combinations)("protocol $protocol, clean $clean, keep-alive $keepalive is admitted", async ({ protocol, clean, keepalive }) => {
    const vehicle = await vehicleAt(SELF, 1);
    const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    const answer = await attempt(connectPacketOf(vehicle, protocol, password, { clean, keepalive }));
    expect(answer.code).toBe(0);
    if (protocol === 5 && keepalive !== 10) expect(answer.serverKeepAlive).toBe(1200);
  });

  test("a level beyond 5 is answered as 5.0 asks, an older one as 3.1.1 does", async () => {
    const answerTo = async (name: string, level: number, protocol: Protocol) => {
      const client = await openRaw(cell.mqttPort, protocol);
      const body = Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([level, 2, 0, 60, 0, 0])]);
      client.socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
      const connack = await client.next("connack");
      await client.closed;
      return codeOf(connack);
    };
    expect(await answerTo("MQTT", 6, 5)).toBe(0x84);
    expect(await answerTo("MQTT", 2, 4)).toBe(1);
  });

  test("I8: a will on a topic that is not the vehicle's own, upwards, is refused", async () => {
    const vehicle = await vehicleAt(SELF, 1);
    const password = await ticketFor(control, vehicle, { cell: SELF, epoch: 1 });
    for (const topic of [`v1/${vehicle.vin}/commands`, "v1/WVWZZZ1JZXW000001/telemetry", "$SYS/x"]) {
      const will = { topic, payload: Buffer.from("{}"), qos: 1 as const, retain: false };
      expect((await attempt(connectPacketOf(vehicle, 5, password, { will }))).code).toBe(0x87);
      expect((await attempt(connectPacketOf(vehicle, 4, password, { will }))).code).toBe(5);
    }
  });

  test("I8: two connections of one vehicle: the older one is told that it was taken over", async () => {
    const vehicle = await vehicleAt(SELF, 1);
    const packet = connectPacketOf(vehicle, 5, await ticketFor(control, vehicle, { cell: SELF, epoch: 1 }));
    const first = await connectRaw(cell.mqttPort, packet);
    const second = await connectRaw(cell.mqttPort, packet);
    expect(await first.client.next("disconnect")).toMatchObject({ reasonCode: 0x8e });
    expect(codeOf(second.connack)).toBe(0);
    second.client.destroy();
  });

  test("row 1: over the connect budget nothing is verified and everyone is told when to come back", async () => {
    const ownFolder = await newFolder();
    const narrow = await startTestCell(control.url, ownFolder, { CONNECT_RATE: "1", CONNECT_BURST: "1" });
    await untilReady(narrow.http);
    const vehicle = await newVehicle();
    const packet = connectPacketOf(vehicle, 5, "nonsense");
    const first = await connectRaw(narrow.mqttPort, packet);
    const over = await connectRaw(narrow.mqttPort, packet);
    const over311 = await connectRaw(narrow.mqttPort, connectPacketOf(vehicle, 4, "nonsense"));
    expect(codeOf(first.connack)).toBe(0x86);
    expect(codeOf(over.connack)).toBe(0x9f);
    expect(over.connack?.properties?.userProperties?.["retry-after-ms"]).toMatch(/^\d+$/);
    expect(codeOf(over311.connack)).toBe(3);
    await narrow.stop();
    await removeFolder(ownFolder);
  });
});
