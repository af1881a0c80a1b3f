import type { JWTPayload } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { verifyAssertion, verifyProof } from "#schema/crypto/assertion.ts";
import { verifyCommand } from "#schema/crypto/command-token.ts";
import { createIssuerRing, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { createKeyRing } from "#schema/crypto/keys.ts";
import { verifyOperatorToken } from "#schema/crypto/operator-token.ts";
import { verifyOwnerToken } from "#schema/crypto/owner-token.ts";
import { verifyTicket } from "#schema/crypto/ticket-token.ts";
import { vin, vinKey } from "../domain/samples.ts";
import { forge, issuerOf, NOW, NOW_SECONDS, newPair, type Pair, VIN } from "./tokens.ts";

/** One party holds every role under one name and one key: only the kind of a token tells them apart. */
const NAME = "everyone";
const base = { iss: NAME, sub: VIN, iat: NOW_SECONDS, exp: NOW_SECONDS + 60, jti: "1" };

const KINDS = {
  device: { typ: "JWT", claims: { ...base, aud: "cloverleaf" } },
  owner: { typ: "at+jwt", claims: { ...base, aud: "cloverleaf", vehicles: [] } },
  operator: { typ: "at+jwt", claims: { ...base, aud: "cloverleaf", roles: ["viewer"] } },
  ticket: {
    typ: "cloverleaf-ticket+jwt",
    claims: { ...base, aud: ["cell-a"], cell: "cell-a", epoch: 1, reason: "assigned", topologyVersion: 1, vinKey: vinKey(1) },
  },
  command: { typ: "cloverleaf-command+jwt", claims: { ...base, type: "horn", arguments: {} } },
  assertion: { typ: "client-authentication+jwt", claims: { ...base, aud: "cloverleaf-control" } },
  proof: { typ: "cloverleaf-proof+jwt", claims: { ...base, aud: "cloverleaf-control", nonce: "1" } },
} as const;

type Kind = keyof typeof KINDS;
const kinds = Object.keys(KINDS) as Kind[];

let pair: Pair;
beforeAll(async () => {
  pair = await newPair();
});

const verifyAs = async (kind: Kind, token: string): Promise<string> => {
  const keys = createKeyRing([pair.publicJwk]);
  const trust = issuerOf([pair.publicJwk], { issuer: NAME, kind: kind === "owner" || kind === "operator" ? kind : "device" });
  const issuers = createIssuerRing([trust], trust.kind);
  const revoked = new Set<string>();
  const verdicts = {
    device: () => verifyDeviceToken(token, { issuers, audience: "cloverleaf", revoked, nowMs: NOW }),
    owner: () => verifyOwnerToken(token, { issuers, revoked, nowMs: NOW }),
    operator: () => verifyOperatorToken(token, { issuers, revoked, nowMs: NOW }),
    ticket: () => verifyTicket(token, { keysOfPop: () => keys, pop: NAME, nowMs: NOW }),
    command: () => verifyCommand(token, { keys, vin: vin(VIN), nowMs: NOW }),
    assertion: () => verifyAssertion(token, { keys, id: NAME, nowMs: NOW }),
    proof: () => verifyProof(token, { keys, cell: NAME, nonce: "1", nowMs: NOW }),
  } satisfies Record<Kind, () => Promise<{ readonly kind: string }>>;
  return (await verdicts[kind]()).kind;
};

const everyClaim = Object.assign({}, ...kinds.map((kind) => KINDS[kind].claims));

describe.each(kinds)("I8: a token of kind %s", (kind) => {
  test.each(kinds)("as a %s", async (other) => {
    const { typ, claims } = KINDS[kind];
    expect(await verifyAs(other, await forge(pair, { ...claims } as JWTPayload, { typ }))).toBe(kind === other ? "verified" : "refused");
  });

  test.each(kinds)("with every claim that any kind needs, as a %s", async (other) => {
    const { aud } = KINDS[other].claims as { aud?: string | readonly string[] };
    const claims = { ...everyClaim, aud: aud ?? "cloverleaf" };
    // Identity providers send people's tokens as "at+jwt" or "JWT": what they may do is then said by the claims and the issuer's kind alone.
    const isForPeople = ["device", "owner", "operator"].includes(kind) && ["owner", "operator"].includes(other);
    const expected = kind === other || isForPeople ? "verified" : "refused";
    expect(await verifyAs(other, await forge(pair, claims, { typ: KINDS[kind].typ }))).toBe(expected);
  });
});
