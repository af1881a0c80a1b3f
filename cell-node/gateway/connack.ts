import mqttPacket, { type IConnackPacket } from "mqtt-packet";
import type { ProtocolLevel } from "./connect-packet.ts";

/** How a CONNECT is refused in either protocol. */
export type ConnackRefusal = {
  readonly reasonCode: number;
  readonly returnCode: number;
  readonly reason: string;
  readonly reference: string | null;
  readonly userProperties: Readonly<Record<string, string>>;
};

/** [MQTT-3.2.2] of 5.0 with Server Reference, Reason String and user properties, or the two bytes of 3.1.1. */
export const encodeConnack = (level: ProtocolLevel, refusal: ConnackRefusal): Buffer => {
  if (level !== 5) return Buffer.from([0x20, 0x02, 0x00, refusal.returnCode]);
  const packet: IConnackPacket = {
    cmd: "connack",
    sessionPresent: false,
    reasonCode: refusal.reasonCode,
    properties: {
      reasonString: refusal.reason,
      ...(refusal.reference !== null && { serverReference: refusal.reference }),
      ...(Object.keys(refusal.userProperties).length > 0 && { userProperties: { ...refusal.userProperties } }),
    },
  };
  return mqttPacket.generate(packet, { protocolVersion: 5 });
};

/** The answer to a protocol level that is not spoken here: 5.0's for newer ones [MQTT-3.1.2-2], 3.1.1's for older ones. */
export const encodeUnsupportedLevel = (level: number): Buffer =>
  level > 5 ? Buffer.from([0x20, 0x03, 0x00, 0x84, 0x00]) : Buffer.from([0x20, 0x02, 0x00, 0x01]);
