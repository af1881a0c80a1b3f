import { base64url, exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { CELL_AUDIENCE, createIssuerRing, ROUTER_AUDIENCE, signDeviceToken, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { assemble, deviceClaims, forge, ISSUER, issuerOf, NOW, NOW_SECONDS, newPair, type Pair, pairOf, tamper, VIN } from "./tokens.ts";

let trusted: Pair;
let second: Pair;
let stranger: Pair;
let ecdsa: Pair;

beforeAll(async () => {
  [trusted, second, stranger] = await Promise.all([newPair("a"), newPair("b"), newPair("a")]);
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  ecdsa = await pairOf({ ...(await exportJWK(privateKey)), kty: "EC", kid: "ec-1", d: (await exportJWK(privateKey)).d ?? "" });
});

type Options = {
  readonly audience?: string;
  readonly revoked?: readonly string[];
  readonly keys?: readonly Pair[];
  readonly wmis?: string[];
};

/** "ok", or the fault that verification names. */
const verdictOf = async (token: string, { audience = ROUTER_AUDIENCE, revoked = [], keys = [trusted], wmis = ["WVW"] }: Options = {}) => {
  const issuers = createIssuerRing(
    [
      issuerOf(
        keys.map(({ publicJwk }) => publicJwk),
        { wmis },
      ),
    ],
    "device",
  );
  const verdict = await verifyDeviceToken(token, { issuers, audience, revoked: new Set(revoked), nowMs: NOW });
  return verdict.kind === "verified" ? "ok" : verdict.fault;
};

type Case = readonly [why: string, changes: Readonly<Record<string, unknown>>, verdict: string, options?: Options];

const claimsCases: readonly Case[] = [
  ["a good one at the router", {}, "ok"],
  ["a good one at the cell", {}, "ok", { audience: CELL_AUDIENCE }],
  ["expired within the leeway of 60 s", { exp: NOW_SECONDS - 59 }, "ok"],
  ["expired beyond it", { exp: NOW_SECONDS - 60 }, "expired"],
  ["without exp", { exp: undefined }, "claims"],
  ["exp as text", { exp: "never" }, "claims"],
  ["without iat", { iat: undefined }, "claims"],
  ["issued in the future, within the leeway", { iat: NOW_SECONDS + 60 }, "ok"],
  ["issued in the future", { iat: NOW_SECONDS + 61 }, "not_yet_valid"],
  ["not yet valid, within the leeway", { nbf: NOW_SECONDS + 60 }, "ok"],
  ["not yet valid", { nbf: NOW_SECONDS + 61 }, "not_yet_valid"],
  ["nbf as text", { nbf: "now" }, "not_yet_valid"],
  ["wrong issuer", { iss: "https://evil.example.com" }, "issuer"],
  ["an issuer that is no text", { iss: [ISSUER] }, "malformed"],
  ["no issuer", { iss: undefined }, "malformed"],
  ["wrong audience", { aud: "another-service" }, "audience"],
  ["router audience at the cell", { aud: ROUTER_AUDIENCE }, "audience", { audience: CELL_AUDIENCE }],
  ["cell audience at the router", { aud: CELL_AUDIENCE }, "audience"],
  ["no audience", { aud: undefined }, "audience"],
  ["7 days at the cell", { exp: NOW_SECONDS + 7 * 86_400 }, "ok", { audience: CELL_AUDIENCE }],
  ["more than 7 days at the cell", { exp: NOW_SECONDS + 7 * 86_400 + 1 }, "claims", { audience: CELL_AUDIENCE }],
  ["more than 7 days at the router", { exp: NOW_SECONDS + 30 * 86_400 }, "ok"],
  ["no VIN", { sub: undefined }, "claims"],
  ["a VIN with an O", { sub: "WVWZZZOJZ3W386752" }, "claims"],
  ["a VIN of 16 characters", { sub: "WVWZZZ1JZ3W38675" }, "claims"],
  ["a VIN in full-width characters", { sub: "ＷＶＷＺＺＺ１ＪＺ３Ｗ３８６７５２" }, "claims"],
  ["a US VIN with a wrong check digit", { sub: "1M8GDM9A0KP042788" }, "claims", { wmis: [""] }],
  ["another maker's VIN", {}, "issuer", { wmis: ["LRW", "1M8"] }],
  ["an issuer for every maker", {}, "ok", { wmis: [""] }],
  ["revoked by jti", {}, "revoked", { revoked: ["token-1"] }],
  ["another token revoked", {}, "ok", { revoked: ["token-2"] }],
  ["without jti, others revoked", { jti: undefined }, "ok", { revoked: ["token-1"] }],
];

describe("I8: device token", () => {
  for (const [why, changes, verdict, options] of claimsCases) {
    test(`${why}: ${verdict}`, async () => {
      expect(await verdictOf(await forge(trusted, deviceClaims(changes)), options)).toBe(verdict);
    });
  }

  test("revoked by kid", async () => {
    expect(await verdictOf(await forge(trusted, deviceClaims()), { revoked: [trusted.key.kid] })).toBe("revoked");
  });

  test("yields the VIN, issuer and expiry of the credential", async () => {
    const issuers = createIssuerRing([issuerOf([trusted.publicJwk])], "device");
    const token = await signDeviceToken(trusted.key, { vin: VIN, issuer: ISSUER, nowMs: NOW, lifetimeSeconds: 60 });
    const verdict = await verifyDeviceToken(token, { issuers, audience: CELL_AUDIENCE, revoked: new Set(), nowMs: NOW });
    expect(verdict).toEqual({ kind: "verified", vin: VIN, issuer: ISSUER, expiresAtSeconds: NOW_SECONDS + 60 });
  });

  test("an owners' issuer does not vouch for vehicles", async () => {
    const issuers = createIssuerRing([issuerOf([trusted.publicJwk], { kind: "owner" })], "device");
    const token = await forge(trusted, deviceClaims());
    const verdict = await verifyDeviceToken(token, { issuers, audience: ROUTER_AUDIENCE, revoked: new Set(), nowMs: NOW });
    expect(verdict).toMatchObject({ kind: "refused", fault: "issuer" });
  });
});

describe("keys of a device token", () => {
  test("ES256 is accepted beside EdDSA", async () => {
    expect(await verdictOf(await forge(ecdsa, deviceClaims()), { keys: [trusted, ecdsa] })).toBe("ok");
  });

  test("each of two keys by its kid: rotation", async () => {
    const tokens = await Promise.all([trusted, second].map((pair) => forge(pair, deviceClaims())));
    expect(await Promise.all(tokens.map((token) => verdictOf(token, { keys: [trusted, second] })))).toEqual(["ok", "ok"]);
  });

  test.each<readonly [string, () => Partial<Record<"kid" | "alg", string>>, () => Pair[], string]>([
    ["unknown kid", () => ({ kid: "unknown" }), () => [trusted], "unknown_key"],
    ["the kid of another key", () => ({ kid: second.key.kid }), () => [trusted, second], "signature"],
  ])("%s", async (_, header, keys, verdict) => {
    expect(await verdictOf(await forge(trusted, deviceClaims(), header()), { keys: keys() })).toBe(verdict);
  });

  const withoutKid = (pair: Pair) => new SignJWT(deviceClaims()).setProtectedHeader({ alg: pair.key.alg }).sign(pair.key.key);

  test("without kid the only key serves, one of two does not, one per algorithm does", async () => {
    const token = await withoutKid(trusted);
    expect(await verdictOf(token, { keys: [trusted] })).toBe("ok");
    expect(await verdictOf(token, { keys: [trusted, second] })).toBe("unknown_key");
    expect(await verdictOf(token, { keys: [trusted, ecdsa] })).toBe("ok");
  });

  test("a stranger's key", async () => {
    expect(await verdictOf(await forge(stranger, deviceClaims(), { kid: trusted.key.kid }))).toBe("signature");
  });

  test("a broken key among the trusted ones refuses its own tokens and no others", async () => {
    const broken = { ...trusted, publicJwk: { ...trusted.publicJwk, kid: "broken", x: "AA" } };
    const token = await forge(trusted, deviceClaims(), { kid: "broken" });
    expect(await verdictOf(token, { keys: [broken, trusted] })).toBe("unknown_key");
    expect(await verdictOf(await forge(trusted, deviceClaims()), { keys: [broken, trusted] })).toBe("ok");
  });
});

describe("forged device tokens", () => {
  const signed = () => forge(trusted, deviceClaims());

  test("claims changed under the old signature", async () => {
    expect(await verdictOf(tamper(await signed(), { exp: NOW_SECONDS + 99_999 }))).toBe("signature");
  });

  test.each([
    ["alg none, no signature", { alg: "none" }, "", "algorithm"],
    ["alg None, no signature", { alg: "None" }, "", "algorithm"],
    ["no alg", {}, "AAAA", "algorithm"],
    ["RS256", { alg: "RS256", kid: "a" }, "AAAA", "algorithm"],
    ["EdDSA with an empty signature", { alg: "EdDSA" }, "", "signature"],
    ["EdDSA with a short signature", { alg: "EdDSA" }, "AAAA", "signature"],
    ["an unknown critical header", { alg: "EdDSA", crit: ["x"], x: 1 }, "AAAA", "malformed"],
  ])("%s", async (_, header, signature, verdict) => {
    expect(await verdictOf(assemble(header, deviceClaims(), signature))).toBe(verdict);
  });

  test("HS256 with the public key as secret", async () => {
    const secret = base64url.decode(String(trusted.publicJwk["x"]));
    const token = await new SignJWT(deviceClaims()).setProtectedHeader({ alg: "HS256", kid: trusted.key.kid }).sign(secret);
    expect(await verdictOf(token)).toBe("algorithm");
  });

  test("a key in the token's own header is not looked at", async () => {
    const token = await forge(stranger, deviceClaims(), { jwk: stranger.publicJwk as never });
    expect(await verdictOf(token)).toBe("unknown_key");
  });

  test.each([
    ["nothing", ""],
    ["a word", "token"],
    ["two parts", "a.b"],
    ["four parts", "a.b.c.d"],
    ["five parts", "a.b.c.d.e"],
    ["dots", ".."],
    ["a header that is no JSON", `${base64url.encode("{")}.${base64url.encode(JSON.stringify({ iss: ISSUER }))}.AAAA`],
    ["a header that is an array", assemble([], { iss: ISSUER }, "AAAA")],
    ["an empty header", `.${base64url.encode(JSON.stringify({ iss: ISSUER }))}.AAAA`],
    ["claims that are an array", assemble({ alg: "EdDSA" }, [], "AAAA")],
    ["claims that are no JSON", `${base64url.encode('{"alg":"EdDSA"}')}.${base64url.encode("{")}.AAAA`],
    ["no base64url", "Ä.Ö.Ü"],
  ])("%s is malformed", async (_, token) => {
    expect(await verdictOf(token)).toBe("malformed");
  });
});
