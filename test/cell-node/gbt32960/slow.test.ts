import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { LRUCache } from "lru-cache";
import { afterEach, describe, expect, test } from "vitest";
import { createLogger } from "#schema/http/log.ts";
import type { AlarmState } from "../../../cell-node/gbt32960/events.ts";
import { COMMANDS } from "../../../cell-node/gbt32960/frame.ts";
import { createPlatforms } from "../../../cell-node/gbt32960/platforms.ts";
import { serveConnection } from "../../../cell-node/gbt32960/serve-connection.ts";
import { newVehicle } from "../support/vehicles.ts";
import { requestOf } from "./support/frames.ts";

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** The protocol over plain TCP, with a short patience. */
const connectTo = async (vin: Awaited<ReturnType<typeof newVehicle>>["vin"]): Promise<Socket> => {
  const server = createServer((socket) => {
    const ports = {
      admitVin: async () => ({ kind: "refused", refusal: "busy" }) as const,
      storeTelemetry: () => Promise.reject(new Error("not asked for")),
      storeEvents: () => Promise.reject(new Error("not asked for")),
      clock: { nowMs: () => 0 },
      logger: createLogger("test", "error", () => undefined),
      metrics: { frame: () => undefined, connection: () => undefined },
    };
    const context = { ports, alarms: new LRUCache<string, AlarmState>({ max: 1 }), platforms: createPlatforms([]), frameMs: 50 };
    void serveConnection(context, { kind: "vehicle", vin }, socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  opened.push(server, { close: () => socket.destroy() });
  await once(socket, "connect");
  return socket;
};

describe("a peer that takes its time", () => {
  test("is cut off in the middle of a frame, however steadily its bytes drip", async () => {
    const { vin } = await newVehicle();
    const socket = await connectTo(vin);
    const heartbeat = requestOf({ command: COMMANDS.heartbeat, id: vin });
    let sent = 0;
    const drip = setInterval(() => socket.write(heartbeat.subarray(sent, ++sent)), 10);
    socket.on("error", () => undefined);
    await once(socket, "close");
    clearInterval(drip);
    expect(sent).toBeLessThan(heartbeat.length);
  });

  test("stays when its frames end, though each chunk begins the next one", async () => {
    const { vin } = await newVehicle();
    const socket = await connectTo(vin);
    const heartbeat = requestOf({ command: COMMANDS.heartbeat, id: vin });
    let answers = 0;
    socket.write(heartbeat.subarray(0, 5));
    socket.on("data", (chunk) => {
      answers += chunk.length / heartbeat.length;
      setTimeout(() => socket.write(Buffer.concat([heartbeat.subarray(5), heartbeat.subarray(0, 5)])), 20);
    });
    socket.write(Buffer.concat([heartbeat.subarray(5), heartbeat.subarray(0, 5)]));
    while (answers < 6) await once(socket, "data");
    expect(socket.destroyed).toBe(false);
  });
});
