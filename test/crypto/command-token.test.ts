import { beforeAll, describe, expect, test } from "vitest";
import { type SignedCommand, signCommand, verifyCommand } from "#schema/crypto/command-token.ts";
import { createKeyRing } from "#schema/crypto/keys.ts";
import { vin } from "../domain/samples.ts";
import { NOW, NOW_SECONDS, newPair, type Pair, tamper, VIN } from "./tokens.ts";

let owner: Pair;
let standby: Pair;
let stranger: Pair;
beforeAll(async () => {
  [owner, standby, stranger] = await Promise.all([newPair("cell-a"), newPair("cell-b"), newPair("cell-c")]);
});

const command: SignedCommand = {
  cell: "cell-a",
  vin: vin(VIN),
  id: "5d7b6c1e-0000-4000-8000-000000000001",
  type: "doors.unlock",
  arguments: { door: "front-left" },
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 60,
};

const verify = (token: string, nowMs = NOW) =>
  verifyCommand(token, { keys: createKeyRing([owner.publicJwk, standby.publicJwk]), vin: vin(VIN), nowMs });

const verdictOf = async (token: string, nowMs?: number) => {
  const verdict = await verify(token, nowMs);
  return verdict.kind === "verified" ? "ok" : verdict.fault;
};

describe("I9: a vehicle executes a command only when", () => {
  test("its cell or its cell's standby signed it", async () => {
    expect(await verify(await signCommand(owner.key, command))).toEqual({ kind: "verified", command });
    expect(await verdictOf(await signCommand(standby.key, command))).toBe("ok");
    expect(await verdictOf(await signCommand(stranger.key, command))).toBe("unknown_key");
    expect(await verdictOf(await signCommand({ ...stranger.key, kid: owner.key.kid }, command))).toBe("signature");
  });

  test.each([
    ["one millisecond before its expiry", NOW + 59_999, "ok"],
    ["at its expiry: no leeway", NOW + 60_000, "expired"],
    ["within what other tokens forgive", NOW + 90_000, "expired"],
    ["long after", NOW + 86_400_000, "expired"],
    ["with a clock that lags by more than the leeway", NOW - 61_000, "not_yet_valid"],
  ])("it is not expired: %s", async (_, nowMs, verdict) => {
    expect(await verdictOf(await signCommand(owner.key, command), nowMs)).toBe(verdict);
  });

  test.each([
    ["another type", { type: "doors.lock" }],
    ["other arguments", { arguments: { door: "all" } }],
    ["a later expiry", { exp: NOW_SECONDS + 6_000 }],
    ["another id", { jti: "another" }],
  ])("nobody changed it: %s", async (_, changes) => {
    expect(await verdictOf(tamper(await signCommand(owner.key, command), changes))).toBe("signature");
  });

  test("it is its own", async () => {
    const other = { ...command, vin: vin("WVWZZZ1JZ3W386753") };
    expect(await verdictOf(await signCommand(owner.key, other))).toBe("audience");
  });

  test.each(["", "not a token", "a.b.c"])("it is a command at all: %j", async (token) => {
    expect(await verdictOf(token)).toBe("malformed");
  });
});
