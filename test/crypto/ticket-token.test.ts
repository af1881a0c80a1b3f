import { beforeAll, describe, expect, test } from "vitest";
import { createKeyRing } from "#schema/crypto/keys.ts";
import { signTicket, verifyTicket } from "#schema/crypto/ticket-token.ts";
import type { Ticket } from "#schema/domain/ticket.ts";
import { cell, vin, vinKey } from "../domain/samples.ts";
import { forge, NOW, NOW_SECONDS, newPair, type Pair, tamper, VIN } from "./tokens.ts";

const TYP = "cloverleaf-ticket+jwt";
let pop: Pair;
let otherPop: Pair;
beforeAll(async () => {
  [pop, otherPop] = await Promise.all([newPair("pop-1"), newPair("pop-2")]);
});

const ticket: Ticket = {
  iss: "pop-1",
  sub: vin(VIN),
  aud: [cell("cell-a"), cell("cell-b")],
  cell: cell("cell-a"),
  epoch: 3,
  reason: "assigned",
  topologyVersion: 7,
  vinKey: vinKey(1),
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 600,
};

const verify = (token: string, name = "pop-1") => {
  const rings = new Map([
    ["pop-1", createKeyRing([pop.publicJwk])],
    ["pop-2", createKeyRing([otherPop.publicJwk])],
  ]);
  return verifyTicket(token, { keysOfPop: (id) => rings.get(id), pop: name, nowMs: NOW });
};

const verdictOf = async (token: string, name?: string) => {
  const verdict = await verify(token, name);
  return verdict.kind === "refused" ? verdict.fault : verdict.isExpired ? "expired, yet evidence" : "ok";
};

describe("ticket", () => {
  test("round-trips", async () => {
    expect(await verify(await signTicket(pop.key, ticket))).toEqual({ kind: "verified", ticket, isExpired: false });
  });

  test.each<readonly [string, Partial<Ticket>, string]>([
    ["in its last second", { exp: NOW_SECONDS + 1 }, "ok"],
    ["on the second of its expiry, without leeway", { exp: NOW_SECONDS }, "expired, yet evidence"],
    ["expired for a year", { iat: 1, exp: NOW_SECONDS - 31_536_000 }, "expired, yet evidence"],
    ["from the future, within the leeway", { iat: NOW_SECONDS + 60 }, "ok"],
    ["from the future", { iat: NOW_SECONDS + 61 }, "not_yet_valid"],
    ["claiming another POP", { iss: "pop-2" }, "issuer"],
    ["expired and claiming another POP", { iss: "pop-2", exp: NOW_SECONDS - 1 }, "issuer"],
    ["naming no cell", { cell: "" as never }, "claims"],
    ["expired and naming no cell", { cell: "" as never, exp: NOW_SECONDS - 1 }, "claims"],
  ])("%s: %s", async (_, changes, verdict) => {
    expect(await verdictOf(await signTicket(pop.key, { ...ticket, ...changes }))).toBe(verdict);
  });

  test.each([
    ["a token of another kind", { typ: "JWT" }, {}, "type"],
    ["no kind at all", { typ: undefined }, {}, "type"],
    ["the kind in capitals", { typ: "Cloverleaf-Ticket+JWT" }, {}, "ok"],
    ["expired, of another kind", { typ: "JWT" }, { exp: NOW_SECONDS - 1 }, "type"],
    ["expired, not yet valid either", { typ: TYP }, { exp: NOW_SECONDS - 1, nbf: NOW_SECONDS + 61 }, "not_yet_valid"],
    ["expired, issued in the future", { typ: TYP }, { exp: NOW_SECONDS - 1, iat: NOW_SECONDS + 61 }, "not_yet_valid"],
    ["no expiry", { typ: TYP }, { exp: undefined }, "claims"],
  ])("expiry is all that is forgiven: %s", async (_, header, changes, verdict) => {
    const claims = JSON.parse(JSON.stringify({ ...ticket, ...changes }));
    expect(await verdictOf(await forge(pop, claims, header as Record<string, string>))).toBe(verdict);
  });

  test("under another POP's key is refused, expired or not", async () => {
    for (const exp of [ticket.exp, NOW_SECONDS - 1]) {
      expect(await verdictOf(await signTicket(otherPop.key, { ...ticket, exp }))).toBe("unknown_key");
      expect(await verdictOf(await signTicket({ ...otherPop.key, kid: pop.key.kid }, { ...ticket, exp }))).toBe("signature");
    }
  });

  test("of a POP that is not known is refused", async () => {
    expect(await verdictOf(await signTicket(pop.key, ticket), "pop-3")).toBe("unknown_key");
  });

  test("whose epoch was raised under the old signature is refused, expired or not", async () => {
    for (const exp of [ticket.exp, NOW_SECONDS - 1]) {
      expect(await verdictOf(tamper(await signTicket(pop.key, { ...ticket, exp }), { epoch: 4 }))).toBe("signature");
    }
  });
});
