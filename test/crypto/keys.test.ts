import { expect, test } from "vitest";
import { createKeyRing, generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";

test("the public half of a key carries nothing secret", async () => {
  const jwk = await generateSigningJwk("cell-a");
  expect(jwk.d).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(Object.keys(publicJwkOf(jwk)).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
});

test("each generated key is new and named after its holder", async () => {
  const [first, second] = await Promise.all([generateSigningJwk("cell-a"), generateSigningJwk("cell-a")]);
  expect(first.kid).toMatch(/^cell-a-[A-Za-z0-9_-]{12}$/);
  expect(first.kid).not.toBe(second.kid);
  expect((await importSigningKey(first)).kid).toBe(first.kid);
});

test("a ring imports each key once", async () => {
  const jwk = publicJwkOf(await generateSigningJwk("cell-a"));
  const ring = createKeyRing([jwk]);
  expect(await ring.find(jwk.kid, "EdDSA")).toBe(await ring.find(undefined, "EdDSA"));
});

test.each([
  ["a symmetric key", { kty: "oct", kid: "k", k: "AAAA" }],
  ["an RSA key", { kty: "RSA", kid: "k", n: "AQAB", e: "AQAB" }],
  ["no key at all", { kty: "OKP", kid: "k" }],
])("%s in a ring is no key", async (_, jwk) => {
  expect(await createKeyRing([jwk]).find("k", "EdDSA")).toBeUndefined();
});

test("two keys of one kid are ambiguous and serve neither", async () => {
  const [first, second] = await Promise.all([generateSigningJwk("a"), generateSigningJwk("a")]);
  const ring = createKeyRing([publicJwkOf(first), { ...publicJwkOf(second), kid: first.kid }]);
  expect(await ring.find(first.kid, "EdDSA")).toBeUndefined();
});
