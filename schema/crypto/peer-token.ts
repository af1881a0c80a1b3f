import { type Refused, signJwt, verifyJwt } from "./jwt.ts";
import type { KeyRing, SigningKey } from "./keys.ts";

const PEER_TYP = "cloverleaf-peer+jwt";
const LIFETIME_SECONDS = 60;

/** Signs a cell's call to another cell: valid for 60 s, there only. */
export const signPeerToken = (key: SigningKey, from: string, to: string, nowMs: number): Promise<string> => {
  const iat = Math.floor(nowMs / 1000);
  return signJwt(key, PEER_TYP, { iss: from, aud: to, iat, exp: iat + LIFETIME_SECONDS });
};

/** Verifies that a call comes from the cell `from` and is meant for `to`; keys from sync's `cellKeys`. */
export const verifyPeerToken = async (
  token: string,
  policy: { readonly keys: KeyRing; readonly from: string; readonly to: string; readonly nowMs: number },
): Promise<{ readonly kind: "verified" } | Refused> => {
  const verdict = await verifyJwt(token, {
    keys: policy.keys,
    nowMs: policy.nowMs,
    audience: policy.to,
    issuer: policy.from,
    types: [PEER_TYP],
    maxLifetimeSeconds: LIFETIME_SECONDS,
  });
  return verdict.kind === "refused" ? verdict : { kind: "verified" };
};
