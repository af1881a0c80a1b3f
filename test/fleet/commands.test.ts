import { describe, expect, test } from "vitest";
import { signCommand } from "#schema/crypto/command-token.ts";
import { createKeyRing, generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { badOffers, harass } from "./adversary.ts";
import type { OfferCommand } from "./command-handler.ts";
import { createCommandGuard } from "./commands.ts";

const vinOf = (text: string): Vin => {
  const vin = parseVin(text);
  if (!isVin(vin)) throw new Error(vin.detail);
  return vin;
};
const VIN = vinOf("WVWZZZ1JZXW000001");
const OTHER = vinOf("WVWZZZ1JZXW000002");
const NOW = Date.parse("2030-01-01T00:00:00Z");

const jwk = await generateSigningJwk("cell-a");
const key = await importSigningKey(jwk);
const keys = createKeyRing([publicJwkOf(jwk)]);

const commandFor = (vin: Vin, id: string, lifetimeSeconds = 60) =>
  signCommand(key, { cell: "cell-a", vin, id, type: "doors.lock", arguments: {}, iat: NOW / 1000, exp: NOW / 1000 + lifetimeSeconds });

describe("the command guard", () => {
  test("I9: a genuine command is executed, once", async () => {
    const guard = createCommandGuard(VIN);
    const token = await commandFor(VIN, "c1");
    expect(await guard.offer(token, keys, NOW)).toMatchObject({ kind: "execute", command: { id: "c1", type: "doors.lock" } });
    expect(await guard.offer(token, keys, NOW)).toEqual({ kind: "repeated", id: "c1", report: null });
  });

  test("I9: of two copies offered at the same moment one is executed", async () => {
    const guard = createCommandGuard(VIN);
    const token = await commandFor(VIN, "c1");
    const verdicts = await Promise.all([guard.offer(token, keys, NOW), guard.offer(token, keys, NOW)]);
    expect(verdicts.map(({ kind }) => kind).sort()).toEqual(["execute", "repeated"]);
  });

  test("a repeat brings the last report back", async () => {
    const guard = createCommandGuard(VIN);
    const token = await commandFor(VIN, "c1");
    await guard.offer(token, keys, NOW);
    guard.remember("c1", { state: "succeeded" });
    expect(await guard.offer(token, keys, NOW)).toEqual({ kind: "repeated", id: "c1", report: { state: "succeeded" } });
  });

  test("I9: a command is refused from its expiry on, to the millisecond", async () => {
    const guard = createCommandGuard(VIN);
    const token = await commandFor(VIN, "c1", 60);
    expect(await guard.offer(token, keys, NOW + 60_000)).toMatchObject({ kind: "refused", fault: "expired" });
    expect(await guard.offer(token, keys, NOW + 59_999)).toMatchObject({ kind: "execute" });
  });

  test("I9: an id is held until its own expiry, not a shorter one's", async () => {
    const guard = createCommandGuard(VIN);
    const long = await commandFor(VIN, "long", 600);
    await guard.offer(long, keys, NOW);
    await guard.offer(await commandFor(VIN, "short", 10), keys, NOW);
    await guard.offer(await commandFor(VIN, "later", 100), keys, NOW + 50_000);
    expect(await guard.offer(long, keys, NOW + 599_000)).toMatchObject({ kind: "repeated" });
  });

  test("a command of a key that is not known is refused as such", async () => {
    expect(await createCommandGuard(VIN).offer(await commandFor(VIN, "c1"), createKeyRing([]), NOW)).toMatchObject({
      fault: "unknown_key",
    });
  });
});

describe("the adversary", async () => {
  const harassed = async (token: string, offer: OfferCommand) =>
    harass(token, offer, { nowMs: NOW, other: { vin: OTHER, token: await commandFor(OTHER, "foreign") } });

  test("I9: executes nothing but the genuine command on the reference client", async () => {
    const guard = createCommandGuard(VIN);
    const { genuine, refused, executed } = await harassed(await commandFor(VIN, "c1"), (token, nowMs) => guard.offer(token, keys, nowMs));
    expect(executed).toEqual([]);
    expect(genuine.kind).toBe("execute");
    expect(new Set(refused.map(({ name }) => name))).toEqual(new Set(["tampered", "expired", "foreign", "repeated"]));
  });

  test("every tampered token differs from the genuine one and the others", async () => {
    const token = await commandFor(VIN, "c1");
    const offers = badOffers(token, NOW, { vin: OTHER, token: null });
    const tampered = offers.filter(({ name }) => name === "tampered").map((offer) => offer.token);
    expect(new Set([token, ...tampered]).size).toBe(tampered.length + 1);
  });

  const genuineOnce = await commandFor(VIN, "c1");
  const believeAnything = () => createCommandGuard(VIN).offer(genuineOnce, keys, NOW);

  const whoeverFits: OfferCommand = async (token) => {
    const own = await createCommandGuard(VIN).offer(token, keys, NOW);
    return own.kind === "execute" ? own : createCommandGuard(OTHER).offer(token, keys, NOW);
  };

  test.each<[string, string, OfferCommand]>([
    ["does not look at the clock", "expired", (token) => createCommandGuard(VIN).offer(token, keys, NOW)],
    ["forgets what it has done", "repeated", (token, nowMs) => createCommandGuard(VIN).offer(token, keys, nowMs)],
    ["does not look at the VIN", "foreign", whoeverFits],
    ["does not look at the signature", "tampered", believeAnything],
  ])("catches a vehicle that %s", async (_, name, offer) => {
    const { executed } = await harassed(genuineOnce, offer);
    expect(executed.map((bad) => bad.name)).toContain(name);
  });
});
