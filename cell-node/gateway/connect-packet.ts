import { isUtf8 } from "node:buffer";
import { createByteReader } from "./byte-reader.ts";

export const CONNECT_TYPE = 0x10;
const FLAG = { reserved: 0x01, will: 0x04, willQos: 0x18, willRetain: 0x20, password: 0x40, userName: 0x80 } as const;
const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 3: "MQIsdp", 4: "MQTT", 5: "MQTT" };

/** 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type ProtocolLevel = 3 | 4 | 5;

/** What admission wants from a CONNECT, and the pieces of which the broker's CONNECT is made. */
export type ConnectPacket = {
  readonly kind: "connect";
  readonly level: ProtocolLevel;
  readonly clientId: string;
  readonly userName: string | null;
  readonly password: string | null;
  readonly willTopic: string | null;
  readonly keepAliveSeconds: number;
  readonly flags: number;
  /** Protocol name and level; properties; will: as they came. */
  readonly protocol: Buffer;
  readonly properties: Buffer;
  readonly will: Buffer;
};

export type ConnectFault =
  | { readonly kind: "unsupported_level"; readonly level: number }
  /** `level` is null when it could not be read. */
  | { readonly kind: "malformed"; readonly level: ProtocolLevel | null };

const isLevel = (level: number): level is ProtocolLevel => level === 3 || level === 4 || level === 5;

/** The level claimed by the first bytes of a CONNECT's body, however much of it is there; null when they are too few or wrong. */
export const peekLevel = (body: Buffer): number | null => {
  const reader = createByteReader(body, 0);
  const name = reader.binary().toString("latin1");
  const level = reader.byte() & 0x7f;
  return reader.isBroken || (name !== "MQTT" && name !== "MQIsdp") ? null : level;
};

const areFlagsValid = (flags: number, level: ProtocolLevel): boolean => {
  const hasWill = (flags & FLAG.will) !== 0;
  if ((flags & FLAG.reserved) !== 0) return false; // [MQTT-3.1.2-3]
  if (!hasWill && (flags & (FLAG.willQos | FLAG.willRetain)) !== 0) return false; // [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15]
  if ((flags & FLAG.willQos) === FLAG.willQos) return false; // [MQTT-3.1.2-14]
  return level === 5 || (flags & FLAG.userName) !== 0 || (flags & FLAG.password) === 0; // 3.1.1 [MQTT-3.1.2-22]
};

/** Reads a whole CONNECT frame, fixed header included (MQTT 3.1.1 and 5.0 §3.1). */
export const parseConnect = (frame: Buffer): ConnectPacket | ConnectFault => {
  const reader = createByteReader(frame, 1);
  reader.varint();
  const start = reader.offset;
  const level = peekLevel(frame.subarray(start));
  if (level === null) return { kind: "malformed", level: null };
  if (!isLevel(level)) return { kind: "unsupported_level", level };
  if (reader.binary().toString("latin1") !== PROTOCOL_NAMES[level]) return { kind: "malformed", level: null };
  reader.byte();
  const protocol = frame.subarray(start, reader.offset);
  const flags = reader.byte();
  const keepAliveSeconds = reader.uint16();
  const propertyBlock = (): Buffer => {
    const from = reader.offset;
    if (level === 5) reader.take(reader.varint());
    return frame.subarray(from, reader.offset);
  };
  const properties = propertyBlock();
  const clientId = reader.binary();
  const willStart = reader.offset;
  const hasWill = (flags & FLAG.will) !== 0;
  if (hasWill) propertyBlock();
  const willTopic = hasWill ? reader.binary() : null;
  if (hasWill) reader.binary();
  const will = frame.subarray(willStart, reader.offset);
  const userName = (flags & FLAG.userName) === 0 ? null : reader.binary();
  const password = (flags & FLAG.password) === 0 ? null : reader.binary();
  const isText = [clientId, willTopic, userName].every((text) => text === null || isUtf8(text));
  if (reader.isBroken || reader.offset !== frame.length || !isText || !areFlagsValid(flags, level)) return { kind: "malformed", level };
  return {
    kind: "connect",
    level,
    clientId: clientId.toString(),
    userName: userName?.toString() ?? null,
    password: password?.toString("latin1") ?? null,
    willTopic: willTopic?.toString() ?? null,
    keepAliveSeconds,
    flags,
    protocol,
    properties,
    will,
  };
};

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

const varint = (value: number): Buffer => {
  const digits: number[] = [];
  for (let left = value; digits.length === 0 || left > 0; left = Math.floor(left / 128))
    digits.push((left % 128) + (left >= 128 ? 128 : 0));
  return Buffer.from(digits);
};

/**
 * The CONNECT that the broker gets: another client id, no user name, no password. An MQTT 3 vehicle's keep-alive is bounded here,
 * where the broker would refuse it; an MQTT 5 vehicle is told the broker's own (Server Keep Alive).
 */
export const forwardedConnect = (packet: ConnectPacket, clientId: string, keepAliveLimitSeconds: number): Buffer => {
  const { level, keepAliveSeconds } = packet;
  const isUnbounded = keepAliveSeconds === 0 || keepAliveSeconds > keepAliveLimitSeconds;
  const id = Buffer.from(clientId);
  const body = Buffer.concat([
    packet.protocol,
    Buffer.from([packet.flags & ~(FLAG.userName | FLAG.password)]),
    uint16(level !== 5 && isUnbounded ? keepAliveLimitSeconds : keepAliveSeconds),
    packet.properties,
    uint16(id.length),
    id,
    packet.will,
  ]);
  return Buffer.concat([Buffer.from([CONNECT_TYPE]), varint(body.length), body]);
};
