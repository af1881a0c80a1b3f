import type { Socket } from "node:net";
import { mayPublish } from "#schema/domain/topic.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Logger } from "#schema/http/log.ts";
import { type AdmissionContext, admitVehicle } from "../admission/admit-vehicle.ts";
import type { CredentialReader, Presented } from "../admission/credentials.ts";
import type { TokenBucket } from "../admission/token-bucket.ts";
import { isServedHere, type Vehicle } from "../admission/vehicle.ts";
import type { Limits } from "../config.ts";
import type { Metrics } from "../metrics.ts";
import type { Broker } from "./broker.ts";
import { type ConnackRefusal, encodeConnack, encodeUnsupportedLevel } from "./connack.ts";
import { type ConnectPacket, forwardedConnect, parseConnect } from "./connect-packet.ts";
import { readConnect } from "./read-connect.ts";
import { REFUSALS_BEFORE, refusalOf } from "./refuse-connect.ts";

export type GatewayContext = {
  readonly admission: AdmissionContext;
  readonly readCredential: CredentialReader;
  readonly takeConnect: TokenBucket;
  readonly broker: Broker;
  readonly onAdmitted: (vehicle: Vehicle) => void;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

const FLUSH_MS = 1_000;
const KEEP_ALIVE_PROBE_MS = 60_000;
const NOT_LOOKED_AT: Presented = { credential: { kind: "unverifiable", isKeyUnknown: false }, vinKey: null };

/** Says a last word: what the peer still sends is thrown away until it has read it, or for a second. */
const endWith = (socket: Socket, answer: Buffer): void => {
  const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
  socket.end(answer);
};

/** Row 3: client id and user name are both the VIN (the credential says which). */
const claimedVinOf = ({ clientId, userName }: ConnectPacket): string | null => (clientId === userName ? clientId : null);

/** Takes a connection from its first byte to the broker, or to its refusal. */
export type Gateway = { accept(socket: Socket): void };

export const createGateway = (context: GatewayContext): Gateway => {
  const { admission, broker, limits, metrics, logger } = context;

  const refuse = (socket: Socket, packet: ConnectPacket, refusal: ConnackRefusal, outcome: string, vinKey: VinKey | null = null): void => {
    metrics.connects.inc({ outcome });
    logger.debug("connect refused", { outcome, reason: refusal.reason, vinKey });
    endWith(socket, encodeConnack(packet.level, refusal));
  };

  const admitConnect = async (socket: Socket, packet: ConnectPacket, rest: Buffer): Promise<void> => {
    const { clock, world } = admission;
    const isOverBudget = !context.takeConnect(clock.monotonicMs());
    const seen = world();
    const presented =
      isOverBudget || packet.password === null ? NOT_LOOKED_AT : await context.readCredential(packet.password, seen, clock.nowMs());
    const outcome = await admitVehicle(admission, { presented, claimedVin: claimedVinOf(packet), isOverBudget });
    if (socket.destroyed) return metrics.connects.inc({ outcome: "gone" });
    const { admission: decision, vehicle } = outcome;
    if (decision.kind === "refuse") {
      return refuse(socket, packet, refusalOf(decision, outcome, presented, seen), decision.refusal, vehicle?.vinKey);
    }
    // A sync may have taken the vehicle away since: nothing yields between this look and the hand-over.
    if (vehicle === undefined || !isServedHere(admission.table.get(vehicle.vin)))
      return refuse(socket, packet, REFUSALS_BEFORE.busy, "changed");
    if (packet.willTopic !== null && !mayPublish(vehicle.vin, packet.willTopic)) {
      return refuse(socket, packet, REFUSALS_BEFORE.will, "will", vehicle.vinKey);
    }
    metrics.connects.inc({ outcome: "admitted" });
    const head = Buffer.concat([forwardedConnect(packet, vehicle.vinKey, limits.keepAliveSeconds), rest]);
    broker.handle(socket, head, { vin: vehicle.vin, vinKey: vehicle.vinKey, vehicle: vehicle.number, level: packet.level });
    context.onAdmitted(vehicle);
  };

  const serve = async (socket: Socket): Promise<void> => {
    const read = await readConnect(socket, limits.packetBytes, limits.connectMs);
    if (read.kind !== "frame") {
      metrics.connects.inc({ outcome: read.kind });
      if (read.kind === "too_large" && read.level === 5) socket.write(encodeConnack(5, REFUSALS_BEFORE.tooLarge));
      socket.destroy();
      return;
    }
    const packet = parseConnect(read.frame);
    switch (packet.kind) {
      case "unsupported_level":
        metrics.connects.inc({ outcome: packet.kind });
        return endWith(socket, encodeUnsupportedLevel(packet.level));
      case "malformed":
        metrics.connects.inc({ outcome: packet.kind });
        // [MQTT-4.13.1-1]; 3.1.1 has no answer to it but the close [MQTT-4.8.0-1].
        if (packet.level === 5) return endWith(socket, encodeConnack(5, REFUSALS_BEFORE.malformed));
        socket.destroy();
        return;
      case "connect":
        try {
          await admitConnect(socket, packet, read.rest);
        } catch (error) {
          logger.error("a CONNECT could not be handled", { error });
          refuse(socket, packet, REFUSALS_BEFORE.busy, "failed");
        }
    }
  };

  return {
    accept(socket) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
      socket.on("error", (error) => logger.debug("socket failed", { error: error.message }));
      void serve(socket);
    },
  };
};
