import { SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { signJwt } from "#schema/crypto/jwt.ts";
import { generateSigningJwk, importSigningKey, type PrivateJwk, type SigningKey } from "#schema/crypto/keys.ts";
import { createTestRouter, type TestRouter } from "./support/router.ts";
import { DEVICE_ISSUER, deviceToken, freshVin, KEYS, topologyOf } from "./support/world.ts";

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

let device: SigningKey;
let stranger: PrivateJwk;
beforeAll(async () => {
  device = await importSigningKey(KEYS.device);
  stranger = await generateSigningJwk("stranger");
});

const claimsOf = (vin: string, nowMs: number, change: Record<string, unknown> = {}) => {
  const iat = Math.floor(nowMs / 1000);
  return { iss: DEVICE_ISSUER, sub: vin, aud: "cloverleaf", iat, exp: iat + 3600, jti: "jti-1", ...change };
};

type Forge = (vin: string, nowMs: number) => Promise<string> | string;
const seconds = (nowMs: number) => Math.floor(nowMs / 1000);

const BAD_TOKENS: readonly (readonly [string, Forge])[] = [
  ["malformed", () => "ey.not.a-token"],
  ["not a JWT at all", () => "eyes"],
  [
    "expired beyond the leeway",
    (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { iat: seconds(now) - 3600, exp: seconds(now) - 61 })),
  ],
  ["not yet valid beyond the leeway", (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { nbf: seconds(now) + 61 }))],
  ["of an issuer nobody trusts", (vin, now) => deviceToken(vin, now, { issuer: "https://evil.example" })],
  ["of an owners' issuer", (vin, now) => deviceToken(vin, now, { issuer: "https://owners.example", key: KEYS.owner })],
  ["alg none", (vin, now) => `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claimsOf(vin, now))}.`],
  [
    "HS256 with the public key as secret",
    (vin, now) =>
      new SignJWT(claimsOf(vin, now)).setProtectedHeader({ alg: "HS256", kid: device.kid }).sign(Buffer.from(String(KEYS.device["x"]))),
  ],
  ["for another audience", (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { aud: "cloverleaf-cell" }))],
  ["without an audience", (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { aud: undefined }))],
  ["with an unknown kid", (vin, now) => deviceToken(vin, now, { key: stranger })],
  ["with a known kid and another key's signature", (vin, now) => deviceToken(vin, now, { key: { ...stranger, kid: KEYS.device.kid } })],
  [
    "with a jku that points at the forger's keys",
    async (vin, now) => {
      const key = await importSigningKey(stranger);
      return new SignJWT(claimsOf(vin, now))
        .setProtectedHeader({ alg: "EdDSA", kid: stranger.kid, jku: "https://evil.example/jwks" })
        .sign(key.key);
    },
  ],
  ["of a revoked jti", (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { jti: "stolen" }))],
  ["for a VIN whose maker the issuer does not vouch for", (_, now) => deviceToken(freshVin("SAJ"), now)],
  ["for something that is no VIN", (_, now) => signJwt(device, "JWT", claimsOf("not-a-vin", now))],
  ["for a VIN with a wrong check digit where the law demands it", (_, now) => signJwt(device, "JWT", claimsOf("LVSHCAMB0CE000001", now))],
  ["without sub", (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { sub: undefined }))],
  ["of another kind", (vin, now) => signJwt(device, "cloverleaf-ticket+jwt", claimsOf(vin, now))],
  ["longer than 8 KiB", (vin, now) => signJwt(device, "JWT", claimsOf(vin, now, { pad: "x".repeat(9_000) }))],
];

describe("I8: a vehicle is who its credential says", () => {
  test.each(BAD_TOKENS)("a token %s is refused and nothing is looked up", async (_, forge) => {
    const router = await createTestRouter({ topology: topologyOf({ revoked: ["stolen"] }) });
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    const response = await router.ask(vin, "/v1/route", {}, await forge(vin, router.clock.now()));
    expect(response.status).toBe(401);
    expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await response.json()).toMatchObject({ code: "unauthenticated", retryable: false });
    expect(router.kv.state.reads.filter((key) => key.startsWith("r/"))).toEqual([]);
    expect(router.control.state.asked).toEqual([]);
  });

  test.each(["", "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Bearer a b", "bearer"])("the header %j is no credential", async (header) => {
    const router = await createTestRouter();
    const response = await router.app.request("/v1/route", { headers: header === "" ? {} : { Authorization: header } });
    expect(response.status).toBe(401);
  });

  test("ES256 devices are welcome, and the scheme is case-insensitive", async () => {
    const jwk = (await crypto.subtle.exportKey(
      "jwk",
      (
        await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"])
      ).privateKey,
    )) as unknown as PrivateJwk;
    const es256 = { ...jwk, kid: "es-1", alg: "ES256" };
    const { d: _, key_ops: __, ext: ___, ...publicJwk } = es256 as Record<string, unknown> & PrivateJwk;
    const issuers = [{ issuer: DEVICE_ISSUER, kind: "device" as const, wmis: ["W"], keys: [publicJwk] }];
    const router = await createTestRouter({ topology: topologyOf({ issuers }) });
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    const token = await deviceToken(vin, router.clock.now(), { key: { ...es256, key_ops: ["sign"] } });
    expect((await router.app.request("/v1/route", { headers: { Authorization: `bearer ${token}` } })).status).toBe(200);
  });
});

const ask = async (router: TestRouter, vin: ReturnType<typeof freshVin>, token: string) =>
  (await router.ask(vin, "/v1/route", {}, token)).status;

describe("credentials that were verified before", () => {
  const setup = async () => {
    const router = await createTestRouter();
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    return { router, vin, token: await deviceToken(vin, router.clock.now(), { lifetimeSeconds: 120 }) };
  };
  const verdicts = async (router: TestRouter) =>
    [...(await (await router.app.request("/metrics")).text()).matchAll(/credentials_total\{verdict="(\w+)"\} (\d+)/g)].map(
      ([, verdict, count]) => `${verdict} ${count}`,
    );

  test("cost no crypto the second time", async () => {
    const { router, vin, token } = await setup();
    expect([await ask(router, vin, token), await ask(router, vin, token)]).toEqual([200, 200]);
    expect(await verdicts(router)).toEqual(["cached 1", "verified 1"]);
  });

  test("are never taken past their expiry and its leeway", async () => {
    const { router, vin, token } = await setup();
    expect(await ask(router, vin, token)).toBe(200);
    await router.clock.advance(181_000);
    expect(await ask(router, vin, token)).toBe(401);
  });

  test("are dropped when their issuer loses its key, and when they are revoked", async () => {
    for (const change of [{ issuers: [] }, { revoked: [KEYS.device.kid] }]) {
      const { router, vin, token } = await setup();
      expect(await ask(router, vin, token)).toBe(200);
      router.publish(topologyOf({ version: 8, ...change }));
      await router.clock.advance(6_000);
      await ask(router, vin, token);
      await router.clock.advance(100);
      expect(await ask(router, vin, token)).toBe(401);
    }
  });

  test("stay good through a topology that changes neither issuers nor revocations", async () => {
    const { router, vin, token } = await setup();
    await ask(router, vin, token);
    router.publish(topologyOf({ version: 8 }));
    await router.clock.advance(6_000);
    await ask(router, vin, token);
    await router.clock.advance(100);
    await ask(router, vin, token);
    expect(await verdicts(router)).toEqual(["cached 2", "verified 1"]);
    expect(router.deps.topology.held()?.topology.version).toBe(8);
  });

  test("key rotation: old and new key verify side by side", async () => {
    const { router, vin, token } = await setup();
    const next = await generateSigningJwk("device");
    const { d: _, ...publicNext } = next;
    const [issuer, owner] = topologyOf().issuers;
    if (issuer === undefined || owner === undefined) throw new Error("the world has two issuers");
    router.publish(topologyOf({ version: 8, issuers: [{ ...issuer, keys: [...issuer.keys, publicNext] }, owner] }));
    await ask(router, vin, token);
    expect(await ask(router, vin, await deviceToken(vin, router.clock.now(), { key: next }))).toBe(200);
    expect(await ask(router, vin, token)).toBe(200);
  });
});
