import mqtt from "mqtt";

/** How a CONNECT was answered. */
export type Attempt =
  | { readonly kind: "admitted"; readonly client: mqtt.MqttClient }
  | {
      readonly kind: "refused";
      readonly code: number;
      readonly reference: string | null;
      readonly reason: string | null;
      readonly epoch: string | null;
    }
  | { readonly kind: "closed" };

export type Connect = {
  readonly url: string;
  readonly vin: string;
  readonly password: string;
  readonly protocol?: 4 | 5;
  readonly clientId?: string;
  readonly userName?: string;
  readonly will?: string;
};

const CONNECT_TIMEOUT_MS = 10_000;

const refusalOf = ({ reasonCode, returnCode, properties }: mqtt.IConnackPacket): Attempt => {
  const epoch = properties?.userProperties?.["epoch"];
  return {
    kind: "refused",
    code: reasonCode ?? returnCode ?? -1,
    reference: properties?.serverReference ?? null,
    reason: properties?.reasonString ?? null,
    epoch: typeof epoch === "string" ? epoch : null,
  };
};

/** One CONNECT with a stock client; it neither follows references nor tries again. */
export const connectTo = ({ url, vin, password, protocol = 5, clientId = vin, userName = vin, will }: Connect): Promise<Attempt> =>
  new Promise((resolve) => {
    const client = mqtt.connect(url, {
      clientId,
      username: userName,
      password,
      protocolVersion: protocol,
      clean: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      ...(will !== undefined && { will: { topic: will, payload: Buffer.from("{}"), qos: 1 as const, retain: false } }),
    });
    const end = (attempt: Attempt) => {
      if (attempt.kind !== "admitted") client.end(true);
      resolve(attempt);
    };
    client.on("packetreceive", (packet) => {
      if (packet.cmd !== "connack") return;
      end((packet.reasonCode ?? packet.returnCode) === 0 ? { kind: "admitted", client } : refusalOf(packet));
    });
    client.on("error", () => client.end(true));
    client.on("close", () => end({ kind: "closed" }));
  });

/** Connects, and throws unless the cell admits. */
export const admitted = async (connect: Connect): Promise<mqtt.MqttClient> => {
  const attempt = await connectTo(connect);
  if (attempt.kind !== "admitted") throw new Error(`${connect.vin} at ${connect.url}: ${JSON.stringify(attempt)}`);
  return attempt.client;
};

/** Connects, and throws unless the cell refuses with a CONNACK. */
export const refused = async (connect: Connect): Promise<Extract<Attempt, { kind: "refused" }>> => {
  const attempt = await connectTo(connect);
  if (attempt.kind === "refused") return attempt;
  if (attempt.kind === "admitted") attempt.client.end(true);
  throw new Error(`${connect.vin} at ${connect.url}: ${attempt.kind}, not refused`);
};
