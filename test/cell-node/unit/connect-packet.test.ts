import fc from "fast-check";
import mqttPacket, { type IConnectPacket } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { forwardedConnect, parseConnect } from "../../../cell-node/gateway/connect-packet.ts";

const parseWithLibrary = (bytes: Buffer): IConnectPacket => {
  const parser = mqttPacket.parser();
  const packets: unknown[] = [];
  parser.on("packet", (packet) => packets.push(packet));
  parser.parse(bytes);
  return packets[0] as IConnectPacket;
};

const will = fc.record({
  topic: fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  retain: fc.boolean(),
});

const connects: fc.Arbitrary<IConnectPacket> = fc
  .record({
    protocolVersion: fc.constantFrom(4 as const, 5 as const),
    clean: fc.boolean(),
    keepalive: fc.integer({ min: 0, max: 65_535 }),
    clientId: fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }),
    username: fc.string({ minLength: 1, maxLength: 40 }),
    password: fc.string({ maxLength: 600, unit: fc.constantFrom(..."abcXYZ019-_.") }),
    hasWill: fc.boolean(),
    will,
    sessionExpiryInterval: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: undefined }),
  })
  .map(({ hasWill, will: last, sessionExpiryInterval, password, ...packet }) => ({
    ...packet,
    cmd: "connect" as const,
    protocolId: "MQTT" as const,
    password: Buffer.from(password),
    ...(hasWill && { will: { ...last, ...(packet.protocolVersion === 5 && { properties: { willDelayInterval: 3 } }) } }),
    ...(packet.protocolVersion === 5 && sessionExpiryInterval !== undefined && { properties: { sessionExpiryInterval } }),
  }));

describe("the CONNECT", () => {
  test("is read as the library writes it, and handed on with another client id and without its credential", () => {
    fc.assert(
      fc.property(connects, (sent) => {
        const parsed = parseConnect(mqttPacket.generate(sent));
        if (parsed.kind !== "connect") throw new Error(parsed.kind);
        expect(parsed).toMatchObject({
          level: sent.protocolVersion,
          clientId: sent.clientId,
          userName: sent.username,
          password: sent.password?.toString(),
          willTopic: sent.will?.topic ?? null,
        });
        const { username: _, password: __, ...rest } = sent;
        const forwarded = parseWithLibrary(forwardedConnect(parsed, "the-vin-key", 65_535));
        const keepalive = sent.protocolVersion === 4 && sent.keepalive === 0 ? 65_535 : sent.keepalive;
        expect(forwarded).toMatchObject({ ...rest, keepalive, clientId: "the-vin-key" });
        expect([forwarded.username, forwarded.password]).toEqual([undefined, undefined]);
      }),
    );
  });

  test("arbitrary bytes are refused, never thrown at", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const frame = Buffer.from([0x10, bytes.length % 128, ...bytes]);
        expect(["connect", "malformed", "unsupported_level"]).toContain(parseConnect(frame).kind);
      }),
    );
  });

  const base = { cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 0, clientId: "id" } as const;
  const FLAGS_AT = 9;
  test.each([
    ["the reserved flag [MQTT-3.1.2-3]", 0x03],
    ["a will QoS without a will [MQTT-3.1.2-13]", 0x0a],
    ["will retain without a will [MQTT-3.1.2-15]", 0x22],
    ["a password without a user name [MQTT-3.1.2-22]", 0x42],
    ["a will that is not there", 0x06],
  ])("%s is malformed", (_, flags) => {
    const frame = mqttPacket.generate(base);
    frame[FLAGS_AT] = flags;
    expect(parseConnect(frame)).toEqual({ kind: "malformed", level: 4 });
  });

  test("bytes behind the last field are malformed", () => {
    const frame = mqttPacket.generate(base);
    const longer = Buffer.concat([frame, Buffer.from([0])]);
    longer[1] = longer.length - 2;
    expect(parseConnect(longer)).toEqual({ kind: "malformed", level: 4 });
  });
});
