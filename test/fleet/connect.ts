import mqtt from "mqtt";
import { topicOf } from "#schema/domain/topic.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { parseRetryAfterMs } from "./jitter.ts";
import { type Meaning, meaningOf, type Protocol } from "./meaning.ts";

/** What happens on one connection, in order; after `refused`, `unreachable` or `lost` nothing more. */
export type LinkEvent =
  | { readonly kind: "connected" }
  | { readonly kind: "message"; readonly topic: string; readonly payload: string }
  | {
      readonly kind: "refused";
      readonly code: number;
      readonly meaning: Meaning;
      readonly reference: string | null;
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: "unreachable" }
  | { readonly kind: "lost" };

/** `rejected`: the cell acknowledged with an error; `lost`: no acknowledgement came. */
export type PublishOutcome = "acknowledged" | "rejected" | "lost";

export type Link = {
  /** Publishes with QoS 1. */
  publish(topic: string, payload: string): Promise<PublishOutcome>;
  close(): void;
};

export type LinkOptions = {
  readonly url: string;
  readonly vin: Vin;
  readonly password: string;
  readonly protocol: Protocol;
  readonly onEvent: (event: LinkEvent) => void;
};

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_SECONDS = 30;
const SESSION_EXPIRY_SECONDS = 3600;

const optionsOf = ({ url, vin, password, protocol }: LinkOptions): mqtt.IClientOptions => {
  const { protocol: scheme, hostname, port, pathname } = new URL(url);
  return {
    protocol: scheme.slice(0, -1) as "mqtt" | "mqtts" | "ws" | "wss",
    host: hostname,
    ...(port !== "" && { port: Number(port) }),
    ...(scheme.startsWith("ws") && { path: pathname }),
    clientId: vin,
    username: vin,
    password,
    protocolVersion: protocol,
    ...(protocol === 5 && { properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS } }),
    clean: false,
    keepalive: KEEPALIVE_SECONDS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // mqtt.js stops for good after CONNACK 0x9D or code 5 and knows no references: nextStep decides instead.
    reconnectPeriod: 0,
    resubscribe: false,
  };
};

const refusalOf = (packet: mqtt.IConnackPacket | mqtt.IDisconnectPacket, code: number, protocol: Protocol): LinkEvent => ({
  kind: "refused",
  code,
  meaning: meaningOf(protocol, code),
  reference: packet.properties?.serverReference ?? null,
  retryAfterMs: parseRetryAfterMs(packet.properties?.userProperties?.["retry-after-ms"]),
});

const outcomeOf = (error: unknown): PublishOutcome => {
  if (!error) return "acknowledged";
  const { code } = error as { readonly code?: unknown };
  return typeof code === "number" && code >= 0x80 ? "rejected" : "lost";
};

/** Opens one connection to a cell and subscribes to the vehicle's own topics. It never reconnects by itself. */
export const openLink = (options: LinkOptions): Link => {
  const { vin, protocol } = options;
  const client = mqtt.connect(optionsOf(options));
  const waiting = new Set<(outcome: PublishOutcome) => void>();
  let isUp = false;
  let isOver = false;

  const end = (event: LinkEvent | null) => {
    if (isOver) return;
    isOver = true;
    client.end(event !== null || waiting.size > 0);
    for (const settle of waiting) settle("lost");
    if (event !== null) options.onEvent(event);
  };

  client.on("packetreceive", (packet) => {
    if (packet.cmd === "disconnect") end(refusalOf(packet, packet.reasonCode ?? 0, protocol));
    if (packet.cmd !== "connack") return;
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code !== 0) end(refusalOf(packet, code, protocol));
  });
  client.on("connect", () => {
    if (isOver) return;
    isUp = true;
    client.subscribe([topicOf(vin, "commands"), topicOf(vin, "session")], { qos: 1 }, (error) => {
      if (error) end({ kind: "lost" });
    });
    options.onEvent({ kind: "connected" });
  });
  client.on("message", (topic, payload) => {
    if (!isOver) options.onEvent({ kind: "message", topic, payload: payload.toString() });
  });
  // What an error means is said by the packet before it or the close after it.
  client.on("error", () => client.end(true));
  client.on("close", () => end({ kind: isUp ? "lost" : "unreachable" }));

  return {
    publish: (topic, payload) =>
      new Promise((resolve) => {
        const settle = (outcome: PublishOutcome) => {
          waiting.delete(settle);
          resolve(outcome);
        };
        waiting.add(settle);
        client.publish(topic, payload, { qos: 1 }, (error) => settle(outcomeOf(error)));
      }),
    close: () => end(null),
  };
};
