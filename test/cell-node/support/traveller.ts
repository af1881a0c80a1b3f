import { connect, type MqttClient } from "mqtt";
import { SessionNotice } from "#schema/api/session.ts";
import { resultTopicOf } from "#schema/domain/topic.ts";
import type { Control } from "./control.ts";
import type { Protocol } from "./mqtt.ts";
import { deviceTokenFor, type TestVehicle } from "./vehicles.ts";

/** A vehicle that publishes numbered QoS 1 messages, each until it is acknowledged, obeys commands once, and goes where it is sent. */
export type Traveller = {
  readonly acknowledged: ReadonlySet<number>;
  /** Ids of commands in the order in which they came, repeats included. */
  readonly received: readonly string[];
  readonly executed: readonly string[];
  /** Ports that it was connected to, in order. */
  readonly visited: readonly number[];
  readonly tokens: readonly string[];
  stop(): Promise<void>;
};

const WINDOW = 4;

type Ended = { readonly reference: string | null };

export const createTraveller = (control: Control, vehicle: TestVehicle, firstPort: number, protocol: Protocol): Traveller => {
  const acknowledged = new Set<number>();
  const received: string[] = [];
  const executed: string[] = [];
  const visited: number[] = [];
  const tokens: string[] = [];
  let next = 1;
  let port = firstPort;
  let isStopped = false;
  let current: MqttClient | null = null;
  const pending = new Set<number>();

  const obey = (client: MqttClient, token: string): void => {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { jti: string };
    received.push(claims.jti);
    tokens.push(token);
    if (executed.includes(claims.jti)) return;
    executed.push(claims.jti);
    client.publish(resultTopicOf(vehicle.vin, claims.jti), JSON.stringify({ state: "succeeded" }), { qos: 1 }, () => undefined);
  };

  const publish = (client: MqttClient, n: number): void => {
    pending.add(n);
    client.publish(`v1/${vehicle.vin}/telemetry`, JSON.stringify({ id: n, n }), { qos: 1 }, (error) => {
      if (error !== undefined && error !== null) return;
      acknowledged.add(n);
      pending.delete(n);
      if (current === client && pending.size < WINDOW) setTimeout(() => current === client && publish(client, next++), 5);
    });
  };

  const stay = (client: MqttClient): Promise<Ended> =>
    new Promise((resolve) => {
      let reference: string | null = null;
      client.on("packetreceive", (packet) => {
        if (packet.cmd === "disconnect" || packet.cmd === "connack") reference = packet.properties?.serverReference ?? reference;
      });
      client.on("message", (topic, payload) => {
        if (topic.endsWith("/commands")) obey(client, payload.toString());
        const notice = topic.endsWith("/session") ? SessionNotice.parse(JSON.parse(payload.toString())) : null;
        if (notice?.state === "moved") reference = new URL(notice.reference).host;
      });
      client.on("connect", () => {
        visited.push(port);
        const topics = ["commands", "session"].map((channel) => `v1/${vehicle.vin}/${channel}`);
        client.subscribe(topics, { qos: 1 }, () => {
          for (const n of pending) publish(client, n);
          while (pending.size < WINDOW) publish(client, next++);
        });
      });
      client.on("error", () => undefined);
      client.on("close", () => resolve({ reference }));
    });

  const live = async (): Promise<void> => {
    while (!isStopped) {
      const password = await deviceTokenFor(control, vehicle);
      const client = connect({
        ...{ host: "127.0.0.1", port, protocol: "mqtt", protocolVersion: protocol, clientId: vehicle.vin, username: vehicle.vin, password },
        ...{ clean: true, reconnectPeriod: 0, connectTimeout: 2_000 },
      });
      current = client;
      const { reference } = await stay(client);
      current = null;
      client.end(true);
      port = reference === null ? port : Number(reference.split(":").at(-1));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };

  const living = live();
  return {
    ...{ acknowledged, received, executed, visited, tokens },
    async stop() {
      isStopped = true;
      current?.end(true);
      await living;
    },
  };
};
