import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createReader, createWriter } from "../../../cell-node/gbt32960/bytes.ts";
import { type Codec, code, flags, list, measure, raw, record, text } from "../../../cell-node/gbt32960/codec.ts";
import { decodeInformation, encodeInformation, isFault } from "../../../cell-node/gbt32960/information.ts";
import { decodeDated, encodeWith, LOGOUT, PLATFORM_LOGIN, VEHICLE_LOGIN } from "../../../cell-node/gbt32960/logins.ts";

const bytesOf = <T>(codec: Codec<T>, value: T): Buffer => {
  const writer = createWriter();
  codec.write(writer, value);
  return writer.finish();
};

const item = record({ no: raw(1), value: measure(2, { per: 10, offset: 1000 }), state: code({ 1: "on", 2: "off" }) });

describe("codecs", () => {
  test.each([
    [1, 1, 40],
    [2, 10, 0],
    [2, 10, 3000],
    [2, 1000, 0],
    [2, 10_000, 0],
    [2, 1, 32_000],
  ] as const)(
    "raw values of %i bytes, %i a unit, offset %i, come back exactly, and are read as the double nearest to their decimal",
    (width, per, offset) => {
      const codec = measure(width, { per, offset });
      const digits = Math.log10(per);
      for (let value = 0; value < 2 ** (8 * width); value += value < 300 || value > 65_300 ? 1 : 7) {
        const bytes = bytesOf(raw(width), value);
        const reading = codec.read(createReader(bytes));
        expect(bytesOf(codec, reading).equals(bytes)).toBe(true);
        if (typeof reading === "number" && reading !== Number(reading.toFixed(digits))) throw new Error(`${value} is read as ${reading}`);
      }
    },
  );

  test("the last two values of a field are signals, no others", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        const reading = measure(4).read(createReader(bytesOf(raw(4), value)));
        expect(reading).toBe(value === 0xffffffff ? "invalid" : value === 0xfffffffe ? "abnormal" : value);
      }),
      { examples: [[0xffffffff], [0xfffffffe], [0xfffffffd]] },
    );
  });

  test("what is written is read: lists, records, flags, texts", () => {
    const reading = fc.oneof(
      fc.constantFrom("abnormal" as const, "invalid" as const),
      fc.integer({ min: -10_000, max: 55_533 }).map((tenth) => tenth / 10),
    );
    const items = fc.array(fc.record({ no: fc.nat(255), value: reading, state: fc.constantFrom("on" as const, "invalid" as const, 7) }), {
      maxLength: 253,
    });
    const names = ["a", "b", "c"];
    fc.assert(
      fc.property(items, fc.subarray(["a", "c", "bit9", "bit31"]), fc.stringMatching(/^[A-Z0-9]{0,20}$/), (values, set, name) => {
        const all = record({ items: list(1, item), set: flags(names), name: text(20) });
        const value = { items: values, set, name };
        expect(all.read(createReader(bytesOf(all, value)))).toEqual(value);
      }),
    );
  });

  test("any bytes that decode are encoded to something that decodes to the same", () => {
    fc.assert(
      fc.property(fc.constantFrom(2016 as const, 2025 as const), fc.uint8Array({ maxLength: 200 }), (edition, tail) => {
        const data = Buffer.concat([Buffer.from("1a0b140b0000", "hex"), tail]);
        const information = decodeInformation(edition, data);
        if (isFault(information)) return;
        expect(decodeInformation(edition, encodeInformation(edition, information))).toEqual(information);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("logins", () => {
  const seconds = fc.integer({ min: Date.UTC(2000, 0, 2) / 1000, max: Date.UTC(2099, 11, 30) / 1000 }).map((time) => time * 1000);
  const serial = fc.nat(65_531);
  const iccid = fc.stringMatching(/^[0-9]{20}$/);

  test("2016: one code a subsystem, of one length", () => {
    const codes = fc.array(
      fc.stringMatching(/^[A-Z0-9]{12}$/).map((one) => [one]),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(fc.record({ time: seconds, serial, iccid, batteries: codes }), (login) => {
        expect(decodeDated(VEHICLE_LOGIN[2016], encodeWith(VEHICLE_LOGIN[2016], login))).toEqual(login);
      }),
    );
  });

  test("2025: 24 characters a pack, as many as each system has", () => {
    const codes = fc.array(fc.array(fc.stringMatching(/^[A-Z0-9]{24}$/), { maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.record({ time: seconds, serial, iccid, batteries: codes }), (login) => {
        expect(decodeDated(VEHICLE_LOGIN[2025], encodeWith(VEHICLE_LOGIN[2025], login))).toEqual(login);
      }),
    );
  });

  test("platform login and logout", () => {
    const login = { time: Date.UTC(2026, 0, 1), serial: 1, user: "north", password: "a secret of 20 chars", encryption: "none" } as const;
    expect(encodeWith(PLATFORM_LOGIN, login)).toHaveLength(41);
    expect(decodeDated(PLATFORM_LOGIN, encodeWith(PLATFORM_LOGIN, login))).toEqual(login);
    expect(decodeDated(LOGOUT, encodeWith(LOGOUT, { time: login.time, serial: 1 }))).toEqual({ time: login.time, serial: 1 });
    expect(decodeDated(LOGOUT, Buffer.alloc(7))).toMatchObject({ kind: "malformed" });
  });
});
