import { type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import type { KeyRing, SigningKey } from "./keys.ts";

const PULL_TYP = "cloverleaf-pull+jwt";
const LIFETIME_SECONDS = 60;

/** What a pull token says: the target of this move asks its source for the vehicle. */
export type PullClaims = { readonly target: string; readonly source: string; readonly moveId: string; readonly vinKey: string };

/**
 * Signs the target's request for a vehicle with its own key: the token is bound to the move and to the target's key, and nobody else can make one.
 * It lives 60 s; how long it opens anything is the lock's business (`mayPull`).
 */
export const signPullToken = (key: SigningKey, { target, source, moveId, vinKey }: PullClaims, nowMs: number): Promise<string> => {
  const iat = Math.floor(nowMs / 1000);
  return signJwt(key, PULL_TYP, { iss: target, aud: source, move: moveId, sub: vinKey, iat, exp: iat + LIFETIME_SECONDS });
};

/** Verifies a pull offline: signed by the target that the source was told of (`cellKeys` of its view), for this very move and vehicle. */
export const verifyPullToken = async (
  token: string,
  policy: PullClaims & { readonly keys: KeyRing; readonly nowMs: number },
): Promise<{ readonly kind: "verified" } | Refused> => {
  const verdict = await verifyJwt(token, {
    keys: policy.keys,
    nowMs: policy.nowMs,
    audience: policy.source,
    issuer: policy.target,
    types: [PULL_TYP],
    maxLifetimeSeconds: LIFETIME_SECONDS,
  });
  if (verdict.kind === "refused") return verdict;
  const { move, sub } = verdict.claims;
  return move === policy.moveId && sub === policy.vinKey ? { kind: "verified" } : refused("claims", "the token is for another move");
};
