import { unverifiedIssuerOf } from "./device-token.ts";
import { type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import type { KeyRing, SigningKey } from "./keys.ts";

const ASSERTION_TYP = "client-authentication+jwt";
const PROOF_TYP = "cloverleaf-proof+jwt";
const CONTROL_AUDIENCE = "cloverleaf-control";
const LIFETIME_SECONDS = 60;

/** Signs a cell's or POP's call to control (private_key_jwt, RFC 7523 §3): valid for 60 s. */
export const signAssertion = (key: SigningKey, id: string, nowMs: number): Promise<string> => {
  const iat = Math.floor(nowMs / 1000);
  return signJwt(key, ASSERTION_TYP, {
    iss: id,
    sub: id,
    aud: CONTROL_AUDIENCE,
    iat,
    exp: iat + LIFETIME_SECONDS,
    jti: crypto.randomUUID(),
  });
};

/** Who signed an assertion, before anything is verified. */
export const claimedCallerOf = (token: string): string | null => unverifiedIssuerOf(token);

/** Verifies a call's assertion; `expired` and `not_yet_valid` mean a clock that is off. */
export const verifyAssertion = async (
  token: string,
  policy: { readonly keys: KeyRing; readonly id: string; readonly nowMs: number },
): Promise<{ readonly kind: "verified" } | Refused> => {
  const verdict = await verifyJwt(token, {
    keys: policy.keys,
    nowMs: policy.nowMs,
    audience: CONTROL_AUDIENCE,
    issuer: policy.id,
    types: [ASSERTION_TYP],
    maxLifetimeSeconds: LIFETIME_SECONDS,
  });
  return verdict.kind === "refused" ? verdict : { kind: "verified" };
};

/** A cell's proof that it holds its key and serves its endpoint: it signs the nonce that control asks for there. */
export const signProof = (key: SigningKey, cell: string, nonce: string, nowMs: number): Promise<string> => {
  const iat = Math.floor(nowMs / 1000);
  return signJwt(key, PROOF_TYP, { iss: cell, aud: CONTROL_AUDIENCE, nonce, iat, exp: iat + LIFETIME_SECONDS });
};

export const verifyProof = async (
  token: string,
  policy: { readonly keys: KeyRing; readonly cell: string; readonly nonce: string; readonly nowMs: number },
): Promise<{ readonly kind: "verified" } | Refused> => {
  const verdict = await verifyJwt(token, {
    keys: policy.keys,
    nowMs: policy.nowMs,
    audience: CONTROL_AUDIENCE,
    issuer: policy.cell,
    types: [PROOF_TYP],
  });
  if (verdict.kind === "refused") return verdict;
  return verdict.claims["nonce"] === policy.nonce ? { kind: "verified" } : refused("claims", "the nonce is another");
};
