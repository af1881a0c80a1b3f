import { createServer, type Socket } from "node:net";
import { parseVin, type Vin } from "#schema/domain/vin.ts";
import { parseVinKey, type VinKey } from "#schema/domain/vin-key.ts";
import { createLogger } from "#schema/http/log.ts";
import { createClock } from "../../../cell-node/clock.ts";
import { LIMITS } from "../../../cell-node/config.ts";
import { createAedesBroker } from "../../../cell-node/gateway/aedes-broker.ts";
import { forwardedConnect, parseConnect } from "../../../cell-node/gateway/connect-packet.ts";
import { readConnect } from "../../../cell-node/gateway/read-connect.ts";
import { createMetrics } from "../../../cell-node/metrics.ts";
import { startEngine } from "../../../cell-node/store/engine.ts";
import { createStore, type Store } from "../../../cell-node/store/store.ts";
import type { CommandDesk } from "../../../cell-node/vehicle/command-desk.ts";
import { takeMessage } from "../../../cell-node/vehicle/take-message.ts";

/**
 * The cell's message path in a process of its own, without admission: what a test kills. `node crash-child.ts PATH honest|early`;
 * `early` acknowledges before it stores, which the test must notice. Prints its port.
 */
const [path = "", mode = "honest"] = process.argv.slice(2);
const fail = (error: unknown) => {
  console.error(error);
  process.exit(1);
};

const honest = createStore(await startEngine({ path, onFatal: fail }));
const early: Store = {
  ...honest,
  storeTelemetry: async (row) => {
    honest.storeTelemetry(row).catch(fail);
  },
};
const store = mode === "early" ? early : honest;
const commands = { takeResult: async () => undefined } as unknown as CommandDesk;
const twins = { takeReported: async () => undefined };
const context = { store, commands, twins, clock: createClock(), metrics: createMetrics() };
const broker = await createAedesBroker({
  hooks: {
    onPublish: (session, publication) => takeMessage(context, session, publication),
    maySubscribe: () => false,
    onSubscribed: () => undefined,
  },
  limits: LIMITS,
  maxSessions: 100,
  logger: createLogger("crash-child", "error"),
});

let vehicle = 0;
const accept = async (socket: Socket): Promise<void> => {
  const read = await readConnect(socket, LIMITS.packetBytes, LIMITS.connectMs);
  const packet = read.kind === "frame" ? parseConnect(read.frame) : null;
  if (read.kind !== "frame" || packet?.kind !== "connect") throw new Error("the test's client sent no CONNECT");
  const vin = parseVin(packet.clientId) as Vin;
  const vinKey = parseVinKey(packet.clientId.padEnd(22, "0")) as VinKey;
  const head = Buffer.concat([forwardedConnect(packet, vinKey, LIMITS.keepAliveSeconds), read.rest]);
  broker.handle(socket, head, { vin, vinKey, vehicle: ++vehicle, level: packet.level });
};
const server = createServer((socket) => void accept(socket).catch(fail));
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
