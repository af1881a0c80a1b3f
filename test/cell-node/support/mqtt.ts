import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import mqttPacket, { type IConnackPacket, type IConnectPacket, type Packet } from "mqtt-packet";
import type { TestVehicle } from "./vehicles.ts";

export type Protocol = 4 | 5;
export const PROTOCOLS: readonly Protocol[] = [4, 5];

/** A bare MQTT connection: sends packets or bytes, collects packets. */
export type RawClient = {
  readonly socket: Socket;
  readonly packets: Packet[];
  send(packet: Packet): void;
  /** The next packet of that command, or null when the connection ends before it. */
  next<Command extends Packet["cmd"]>(command: Command): Promise<Extract<Packet, { cmd: Command }> | null>;
  readonly closed: Promise<void>;
  destroy(): void;
};

export const openRaw = async (port: number, protocol: Protocol): Promise<RawClient> => {
  const socket = dial({ host: "127.0.0.1", port });
  await once(socket, "connect");
  const parser = mqttPacket.parser({ protocolVersion: protocol });
  const packets: Packet[] = [];
  const taken = new Set<Packet>();
  let wake = () => {};
  parser.on("packet", (packet) => {
    packets.push(packet);
    wake();
  });
  let isClosed = false;
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => {
      isClosed = true;
      wake();
      resolve();
    }),
  );
  socket.on("data", (bytes) => parser.parse(bytes)).on("error", () => undefined);
  return {
    socket,
    packets,
    closed,
    send: (packet) => socket.write(mqttPacket.generate(packet, { protocolVersion: protocol })),
    async next(command) {
      for (;;) {
        const found = packets.find((packet) => packet.cmd === command && !taken.has(packet));
        if (found !== undefined) {
          taken.add(found);
          return found as Extract<Packet, { cmd: typeof command }>;
        }
        if (isClosed) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    destroy: () => socket.destroy(),
  };
};

export const connectPacketOf = (
  { vin }: Pick<TestVehicle, "vin">,
  protocol: Protocol,
  password: string,
  more: Partial<IConnectPacket> = {},
): IConnectPacket => ({
  cmd: "connect",
  protocolId: "MQTT",
  protocolVersion: protocol,
  clean: true,
  clientId: vin,
  keepalive: 60,
  username: vin,
  password: Buffer.from(password),
  ...more,
});

export type Connected = { readonly client: RawClient; readonly connack: IConnackPacket | null };

/** Connects and waits for the CONNACK; null when the connection was closed without one. */
export const connectRaw = async (port: number, packet: IConnectPacket): Promise<Connected> => {
  const client = await openRaw(port, packet.protocolVersion === 5 ? 5 : 4);
  client.send(packet);
  return { client, connack: await client.next("connack") };
};

/** The code of a CONNACK in either protocol. */
export const codeOf = (connack: IConnackPacket | null): number | undefined => connack?.reasonCode ?? connack?.returnCode;
