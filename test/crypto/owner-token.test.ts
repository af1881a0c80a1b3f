import { beforeAll, describe, expect, test } from "vitest";
import { createIssuerRing } from "#schema/crypto/device-token.ts";
import { signOwnerToken, verifyOwnerToken } from "#schema/crypto/owner-token.ts";
import { deviceClaims, forge, ISSUER, issuerOf, NOW, NOW_SECONDS, newPair, type Pair, VIN } from "./tokens.ts";

let trusted: Pair;
beforeAll(async () => {
  trusted = await newPair();
});

const verify = (token: string, { kind = "owner" as "owner" | "device", revoked = [] as string[] } = {}) => {
  const issuers = createIssuerRing([issuerOf([trusted.publicJwk], { kind })], "owner");
  return verifyOwnerToken(token, { issuers, revoked: new Set(revoked), nowMs: NOW });
};

const ownerClaims = (changes: Readonly<Record<string, unknown>> = {}) =>
  deviceClaims({ sub: "anna", aud: "cloverleaf", exp: NOW_SECONDS + 900, vehicles: [{ vin: VIN, role: "owner" }], ...changes });

const verdictOf = async (changes: Readonly<Record<string, unknown>>, revoked: string[] = []) => {
  const verdict = await verify(await forge(trusted, ownerClaims(changes), { typ: "at+jwt" }), { revoked });
  return verdict.kind === "verified" ? "ok" : verdict.fault;
};

describe("owner's access token", () => {
  test.each<readonly [string, Readonly<Record<string, unknown>>, string]>([
    ["15 minutes", {}, "ok"],
    ["more than 15 minutes", { exp: NOW_SECONDS + 901 }, "claims"],
    ["15 minutes of the future", { iat: NOW_SECONDS + 3600, exp: NOW_SECONDS + 4500 }, "not_yet_valid"],
    ["expired within the leeway of 60 s", { iat: NOW_SECONDS - 900, exp: NOW_SECONDS - 59 }, "ok"],
    ["expired beyond it", { iat: NOW_SECONDS - 900, exp: NOW_SECONDS - 60 }, "expired"],
    ["wrong audience", { aud: "cloverleaf-cell" }, "audience"],
    ["wrong issuer", { iss: "https://evil.example.com" }, "issuer"],
    ["no subject", { sub: undefined }, "claims"],
    ["no vehicles", { vehicles: undefined }, "claims"],
    ["vehicles that are no list", { vehicles: { vin: VIN, role: "owner" } }, "claims"],
  ])("%s", async (_, changes, verdict) => {
    expect(await verdictOf(changes)).toBe(verdict);
  });

  test("revoked by jti or kid is refused", async () => {
    expect(await verdictOf({}, ["token-1"])).toBe("revoked");
    expect(await verdictOf({}, [trusted.key.kid])).toBe("revoked");
  });

  test("is read as rights; entries that name no VIN or no known role give none", async () => {
    const vehicles = [
      { vin: VIN, role: "driver" },
      { vin: "WVWZZZ1JZ3W386753", role: "god" },
      { vin: "WVW", role: "owner" },
      { role: "owner" },
      "WVWZZZ1JZ3W386754",
      null,
    ];
    const verdict = await verify(await forge(trusted, ownerClaims({ vehicles }), { typ: "at+jwt" }));
    expect(verdict).toMatchObject({ kind: "verified", subject: "anna", issuer: ISSUER });
    expect(verdict.kind === "verified" && [...verdict.rights]).toEqual([[VIN, "driver"]]);
  });

  test("of a device issuer is refused", async () => {
    const token = await forge(trusted, ownerClaims(), { typ: "at+jwt" });
    expect(await verify(token, { kind: "device" })).toMatchObject({ fault: "issuer" });
  });

  test.each(["at+jwt", "application/at+jwt", "JWT", undefined])("typ %s is accepted, as identity providers send it", async (typ) => {
    const header = { typ } as Record<string, string>;
    expect(await verify(await forge(trusted, ownerClaims(), header))).toMatchObject({ kind: "verified" });
  });

  test("as signed by the lab verifies", async () => {
    const vehicles = [{ vin: VIN, role: "fleet" as const }];
    const token = await signOwnerToken(trusted.key, { subject: "anna", issuer: ISSUER, vehicles, nowMs: NOW });
    expect(await verify(token)).toMatchObject({ kind: "verified", subject: "anna" });
  });
});
