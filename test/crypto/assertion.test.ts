import { beforeAll, describe, expect, test } from "vitest";
import { claimedCallerOf, signAssertion, signProof, verifyAssertion, verifyProof } from "#schema/crypto/assertion.ts";
import { createKeyRing } from "#schema/crypto/keys.ts";
import { forge, NOW, NOW_SECONDS, newPair, type Pair } from "./tokens.ts";

const TYP = "client-authentication+jwt";
let own: Pair;
let other: Pair;
beforeAll(async () => {
  [own, other] = await Promise.all([newPair("cell-a"), newPair("cell-b")]);
});

const verdictOf = async (token: string, nowMs = NOW, id = "cell-a") => {
  const verdict = await verifyAssertion(token, { keys: createKeyRing([own.publicJwk]), id, nowMs });
  return verdict.kind === "verified" ? "ok" : verdict.fault;
};

describe("a cell's or POP's call", () => {
  test.each([
    ["at once", 0, "ok"],
    ["after 60 s and the leeway less a millisecond", 119_999, "ok"],
    ["after 60 s and the leeway", 120_000, "expired"],
    ["from a clock 60 s ahead", -60_000, "ok"],
    ["from a clock further ahead", -61_000, "not_yet_valid"],
  ])("%s", async (_, elapsedMs, verdict) => {
    expect(await verdictOf(await signAssertion(own.key, "cell-a", NOW), NOW + elapsedMs)).toBe(verdict);
  });

  const claims = (changes = {}) => ({
    iss: "cell-a",
    sub: "cell-a",
    aud: "cloverleaf-control",
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 60,
    ...changes,
  });

  test.each([
    ["a life of 60 s", {}, { typ: TYP }, "ok"],
    ["a life of more", { exp: NOW_SECONDS + 61 }, { typ: TYP }, "claims"],
    ["for another audience", { aud: "cloverleaf" }, { typ: TYP }, "audience"],
    ["in another's name", { iss: "cell-b" }, { typ: TYP }, "issuer"],
    ["a token of another kind", {}, { typ: "JWT" }, "type"],
  ])("%s", async (_, changes, header, verdict) => {
    expect(await verdictOf(await forge(own, claims(changes), header))).toBe(verdict);
  });

  test("under another key is refused, whatever kid it claims", async () => {
    expect(await verdictOf(await signAssertion(other.key, "cell-a", NOW))).toBe("unknown_key");
    expect(await verdictOf(await signAssertion({ ...other.key, kid: own.key.kid }, "cell-a", NOW))).toBe("signature");
  });

  test("two calls never carry the same assertion", async () => {
    const [first, second] = await Promise.all([signAssertion(own.key, "cell-a", NOW), signAssertion(own.key, "cell-a", NOW)]);
    expect(first).not.toBe(second);
  });

  test("says who signed it before it is verified, or nothing", async () => {
    expect(claimedCallerOf(await signAssertion(own.key, "cell-a", NOW))).toBe("cell-a");
    expect(claimedCallerOf(await forge(own, { iss: { id: "cell-a" } as never }))).toBeNull();
    expect(claimedCallerOf("nonsense")).toBeNull();
  });
});

describe("a cell's proof", () => {
  const proofVerdictOf = async (token: string, nonce: string, cell = "cell-a") => {
    const verdict = await verifyProof(token, { keys: createKeyRing([own.publicJwk]), cell, nonce, nowMs: NOW });
    return verdict.kind === "verified" ? "ok" : verdict.fault;
  };

  test("holds for its own nonce and cell only", async () => {
    const proof = await signProof(own.key, "cell-a", "nonce-1", NOW);
    expect(await proofVerdictOf(proof, "nonce-1")).toBe("ok");
    expect(await proofVerdictOf(proof, "nonce-2")).toBe("claims");
    expect(await proofVerdictOf(proof, "nonce-1", "cell-b")).toBe("issuer");
  });

  test("of another key does not hold", async () => {
    expect(await proofVerdictOf(await signProof(other.key, "cell-a", "nonce-1", NOW), "nonce-1")).toBe("unknown_key");
  });

  test("without a nonce does not hold", async () => {
    const claims = { iss: "cell-a", aud: "cloverleaf-control", iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };
    expect(await proofVerdictOf(await forge(own, claims, { typ: "cloverleaf-proof+jwt" }), "")).toBe("claims");
  });
});
