import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { parseVinKey, vinKeyOfMac } from "#schema/domain/vin-key.ts";
import { vin, vinOf } from "../domain/samples.ts";

const PEPPER = "a pepper of at least 32 characters";

test("RFC 4231 test case 2, cut to 22 characters", () => {
  const mac = Buffer.from("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "hex");
  expect(createHmac("sha256", "Jefe").update("what do ya want for nothing?").digest()).toEqual(mac);
  expect(vinKeyOfMac(mac)).toBe("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM".slice(0, 22));
});

test("I10: a vinKey is base64url(HMAC-SHA-256(pepper, VIN)), first 22 characters, as OpenSSL computes it", async () => {
  const keyOf = createVinKeyer(PEPPER);
  for (const serial of [1, 2, 63, 999_999]) {
    const subject = vinOf("WVW", serial);
    const mac = createHmac("sha256", PEPPER).update(subject).digest("base64url");
    expect(await keyOf(subject)).toBe(mac.slice(0, 22));
  }
});

test("one pepper's vinKeys say nothing under another", async () => {
  const subject = vin("WVWZZZ1JZ3W386752");
  const [first, second] = [createVinKeyer(PEPPER), createVinKeyer(`${PEPPER}!`)];
  expect(await first(subject)).not.toBe(await second(subject));
  expect(await first(subject)).toBe(await first(subject));
});

test("a short pepper is refused at start", () => {
  expect(() => createVinKeyer("x".repeat(31))).toThrow(RangeError);
  expect(() => createVinKeyer("x".repeat(32))).not.toThrow();
});

test("every MAC makes a vinKey that reads back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (mac) => {
      expect(parseVinKey(vinKeyOfMac(mac))).toBe(Buffer.from(mac).toString("base64url").slice(0, 22));
    }),
  );
});

test.each(["", "short", "k".repeat(21), "k".repeat(23), `${"k".repeat(21)}=`, `${"k".repeat(21)}+`, `${"k".repeat(22)}\n`, null, 22])(
  "%j is no vinKey",
  (input) => {
    expect(parseVinKey(input)).toBeNull();
  },
);
