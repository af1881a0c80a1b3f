import { Aedes, type Client, type PublishPacket } from "aedes";
import mqttPacket from "mqtt-packet";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Limits } from "../config.ts";
import { type Acknowledge, createAcknowledger } from "./acknowledger.ts";
import type { Broker, BrokerHooks, Delivery, PublishVerdict, Session } from "./broker.ts";
import { createSessionMemory } from "./session-memory.ts";

export type AedesBrokerOptions = {
  readonly hooks: BrokerHooks;
  readonly limits: Limits;
  readonly maxSessions: number;
  readonly logger: Logger;
};

/**
 * Vehicles publish upwards only and nothing subscribes there: what a vehicle published is done with once it is stored and acknowledged.
 * What goes down is handed to one client by name. So there is nothing to route, retain or queue, $SYS included.
 */
class UplinkBroker extends Aedes {
  override publish(_: PublishPacket, client: unknown, done?: unknown): void {
    const callback = typeof client === "function" ? client : done;
    if (typeof callback === "function") callback();
  }
}

type Live = {
  readonly client: Client;
  readonly session: Session;
  readonly topics: Set<string>;
  readonly keepPlace: () => Acknowledge;
};

const NOT_AUTHORIZED = 0x87;
const NOTICE_MS = 500;

/** [MQTT-3.1.2-29]: who asked for no problem information gets no reason string. aedes keeps the wish and has no name for it. */
const wantsReason = (client: Client): boolean => (client as { _requestProblemInformation?: boolean })._requestProblemInformation !== false;

/** [MQTT-3.4.2], [MQTT-3.5.2]: the acknowledgement of a verdict; null where there is none, as for a will. */
const encodeAck = (
  client: Client,
  { qos, messageId = 0 }: PublishPacket,
  verdict: Exclude<PublishVerdict, { kind: "withheld" }>,
): Buffer | null => {
  if (qos === 0 || client.closed) return null;
  if (verdict.kind === "stored") return Buffer.from([0x40, 0x02, messageId >> 8, messageId & 0xff]);
  const reasonCode = verdict.kind === "invalid" ? verdict.reasonCode : NOT_AUTHORIZED;
  const properties = wantsReason(client) ? { properties: { reasonString: verdict.reason } } : {};
  return mqttPacket.generate({ cmd: qos === 2 ? "pubrec" : "puback", messageId, reasonCode, ...properties }, { protocolVersion: 5 });
};

/** [MQTT-3.14.2] of 5.0. */
const encodeDisconnect = (reasonCode: number, reasonString: string, serverReference: string | null): Buffer =>
  mqttPacket.generate(
    { cmd: "disconnect", reasonCode, properties: { reasonString, ...(serverReference !== null && { serverReference }) } },
    { protocolVersion: 5 },
  );

const toPacket = (delivery: Delivery): PublishPacket => ({
  cmd: "publish",
  topic: delivery.topic,
  payload: delivery.payload,
  qos: 1,
  dup: false,
  retain: false,
  properties: {
    contentType: delivery.contentType,
    ...(delivery.responseTopic !== undefined && { responseTopic: delivery.responseTopic }),
    ...(delivery.correlationData !== undefined && { correlationData: Buffer.from(delivery.correlationData) }),
    ...(delivery.expiresInSeconds !== undefined && { messageExpiryInterval: delivery.expiresInSeconds }),
  },
});

/** The broker inside the process: Aedes 2, MQTT 3.1, 3.1.1 and 5.0. Nothing in it is durable; what must be is in the store. */
export const createAedesBroker = async (options: AedesBrokerOptions): Promise<Broker> => {
  const { hooks, limits, logger } = options;
  const sessions = new WeakMap<Client, Live>();
  const byVinKey = new Map<VinKey, Live>();

  const memory = createSessionMemory();
  const aedes = new UplinkBroker({
    persistence: memory,
    maximumPacketSize: limits.packetBytes,
    drainTimeout: limits.drainMs,
    connectTimeout: limits.connectMs,
    queueLimit: limits.queuedPackets,
    keepaliveLimit: limits.keepAliveSeconds,
    topicAliasMaximum: limits.topicAliases,
    sessionExpiryIntervalLimit: limits.sessionExpirySeconds,
    pendingSessionsLimit: options.maxSessions,
    authorizePublish(client, packet, done) {
      const live = client === null ? undefined : sessions.get(client);
      if (client === null || live === undefined) return done(new Error("no session"));
      packet.retain = false;
      const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
      const acknowledge = live.keepPlace();
      hooks.onPublish(live.session, { topic: packet.topic, payload, qos: packet.qos }).then(
        (verdict) => {
          if (verdict.kind === "withheld") {
            // The vehicle is another's: whoever learnt that dismisses the session, with a last word that must still go out.
            setTimeout(() => client.close(), NOTICE_MS).unref();
            return;
          }
          const isRefused = verdict.kind !== "stored";
          if (isRefused && (live.session.level !== 5 || client.closed)) return done(new Error(verdict.reason));
          // QoS 2 goes on in aedes, which answers PUBREC; the rest is answered here, and for aedes it needs no answer any more.
          if (packet.qos === 2 && !isRefused) return acknowledge(null, done);
          const ack = encodeAck(client, packet, verdict);
          packet.qos = 0;
          acknowledge(ack, done);
        },
        (error: unknown) => {
          logger.error("a message could not be stored", { vinKey: live.session.vinKey, error });
          client.close();
        },
      );
    },
    authorizeSubscribe(client, subscription, done) {
      const live = sessions.get(client);
      const isAllowed = live !== undefined && hooks.maySubscribe(live.session, subscription.topic);
      if (isAllowed) live.topics.add(subscription.topic);
      done(null, isAllowed ? subscription : null);
    },
  });
  await aedes.listen();

  aedes.on("clientReady", (client) => {
    const live = sessions.get(client);
    if (live !== undefined && live.topics.size > 0) hooks.onSubscribed(live.session, [...live.topics]);
  });
  aedes.on("subscribe", (subscriptions, client) => {
    const live = sessions.get(client);
    const topics = subscriptions.map(({ topic }) => topic).filter((topic) => live?.topics.has(topic));
    if (live !== undefined && topics.length > 0) hooks.onSubscribed(live.session, topics);
  });
  aedes.on("unsubscribe", (topics, client) => {
    for (const topic of topics) sessions.get(client)?.topics.delete(topic);
  });
  const logFault = (client: Client, error: Error) => logger.debug("mqtt fault", { vinKey: client.id, error: error.message });
  aedes.on("clientError", logFault).on("connectionError", logFault);

  return {
    handle(socket, head, session) {
      socket.unshift(head);
      const client = aedes.handle(socket);
      const live = { client, session, topics: new Set<string>(), keepPlace: createAcknowledger(socket) };
      sessions.set(client, live);
      byVinKey.set(session.vinKey, live);
      socket.once("close", () => {
        if (byVinKey.get(session.vinKey) === live) byVinKey.delete(session.vinKey);
      });
    },
    sessions: () => [...byVinKey.values()].map(({ session }) => session),
    sessionOf: (vinKey) => byVinKey.get(vinKey)?.session,
    deliver: (session, delivery) =>
      new Promise((resolve) => {
        const live = byVinKey.get(session.vinKey);
        if (live?.session !== session || !live.client.connected || !live.topics.has(delivery.topic)) return resolve(false);
        live.client.publish(toPacket(delivery), (error) => resolve(!error));
      }),
    dismiss(vinKey, { reasonCode, reason, reference, notice }) {
      const live = byVinKey.get(vinKey);
      if (live === undefined) return;
      byVinKey.delete(vinKey);
      const { client, topics } = live;
      // Closing over messages that are not read any more would reset the connection and take the last word with it: the vehicle closes first.
      setTimeout(() => client.close(), NOTICE_MS).unref();
      if (client.version !== 5 && notice !== null && topics.has(notice.topic)) {
        client.publish(toPacket({ ...notice, contentType: "application/json" }), () => client.conn.end());
        return;
      }
      if (client.version === 5) client.conn.write(encodeDisconnect(reasonCode, reason, reference));
      client.conn.end();
    },
    async remembered(vinKey) {
      const subscriptions = await memory.subscriptionsByClient({ id: vinKey });
      return subscriptions.map(({ topic, qos }) => ({ topic, qos }));
    },
    async remember(vinKey, subscriptions) {
      await memory.cleanSubscriptions({ id: vinKey });
      if (subscriptions.length > 0) await memory.addSubscriptions({ id: vinKey }, [...subscriptions]);
    },
    get connected() {
      return byVinKey.size;
    },
    close: () => new Promise((resolve) => aedes.close(() => resolve())),
  };
};
