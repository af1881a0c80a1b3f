import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import mqttPacket from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../cell-node/store/database.ts";
import { newFolder, removeFolder } from "./support/cell.ts";
import { connectPacketOf } from "./support/mqtt.ts";
import { newVehicle, type TestVehicle } from "./support/vehicles.ts";

const NODE = join(import.meta.dirname, "../../node_modules/.bin/node");
const CHILD = join(import.meta.dirname, "support/crash-child.ts");
const IN_FLIGHT = 200;
const KILL_AFTER = 10_000;

let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  folder = await newFolder();
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await removeFolder(folder);
});

const start = async (mode: "honest" | "early") => {
  const child = spawn(NODE, [CHILD, join(folder, "cell.db"), mode], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, port: Number(line.toString()) };
};

const CONNACK_BYTES = 4;
const PUBACK_BYTES = 4;

/**
 * Publishes with QoS 1, always `IN_FLIGHT` unacknowledged, until the connection breaks; answers the acknowledged ids. Acknowledgements
 * of MQTT 3.1.1 come in order [MQTT-4.6.0-2] and have four bytes: counting them keeps the load ahead of the cell.
 */
const publishUntilCut = async (port: number, vehicle: TestVehicle, onAcknowledged: (count: number) => void): Promise<string[]> => {
  const socket = connect({ host: "127.0.0.1", port });
  const idOf = (serial: number) => `${vehicle.vin}-${serial}`;
  let sent = 0;
  let received = 0;
  const send = (count: number) => {
    const packets = Array.from({ length: count }, () => {
      sent++;
      const payload = JSON.stringify({ id: idOf(sent) });
      const message = { topic: `v1/${vehicle.vin}/telemetry`, payload, messageId: (sent % 65_535) + 1 };
      return mqttPacket.generate({ cmd: "publish", qos: 1, dup: false, retain: false, ...message });
    });
    socket.write(Buffer.concat(packets));
  };
  const acknowledged = () => Math.max(0, Math.floor((received - CONNACK_BYTES) / PUBACK_BYTES));
  socket.write(mqttPacket.generate(connectPacketOf(vehicle, 4, "")));
  send(IN_FLIGHT);
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => {
    const before = acknowledged();
    received += bytes.length;
    const news = acknowledged() - before;
    onAcknowledged(news);
    send(news);
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return Array.from({ length: acknowledged() }, (_, index) => idOf(index + 1));
};

/** Kills the process after some thousand acknowledgements and answers how many of them are not in its file. */
const lostAfterKill = async (mode: "honest" | "early"): Promise<{ acknowledged: number; missing: number; repeated: number }> => {
  const { child, port } = await start(mode);
  let count = 0;
  const onAcknowledged = (news: number) => {
    count += news;
    if (count >= KILL_AFTER) child.kill("SIGKILL");
  };
  const vehicles = await Promise.all(Array.from({ length: 4 }, newVehicle));
  const sets = await Promise.all(vehicles.map((vehicle) => publishUntilCut(port, vehicle, onAcknowledged)));
  const database = openDatabase(join(folder, "cell.db"));
  const rows = [1, 2, 3, 4].flatMap((vehicle) => database.read("telemetry", [vehicle, 0, Number.MAX_SAFE_INTEGER, -1, -1, 1e9]));
  database.close();
  const stored = new Set(rows.map((row) => (row as { id: string }).id));
  const ids = sets.flat();
  return { acknowledged: ids.length, missing: ids.filter((id) => !stored.has(id)).length, repeated: rows.length - stored.size };
};

describe("kill -9 under load", () => {
  test("I7: every acknowledged message is in the file, once", async () => {
    const { acknowledged, missing, repeated } = await lostAfterKill("honest");
    expect(acknowledged).toBeGreaterThanOrEqual(KILL_AFTER);
    expect([missing, repeated]).toEqual([0, 0]);
  }, 30_000);

  test("the same test notices a cell that acknowledges first", async () => {
    const { missing } = await lostAfterKill("early");
    expect(missing).toBeGreaterThan(0);
  }, 30_000);
});
