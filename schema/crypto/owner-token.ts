import { OWNER_ROLES, type OwnerRole } from "#schema/domain/command.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { claimedIssuerOf, type IssuerRing, ROUTER_AUDIENCE } from "./device-token.ts";
import { type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import type { SigningKey } from "./keys.ts";

const MAX_LIFETIME_SECONDS = 15 * 60;

export type VerifiedOwner = {
  readonly kind: "verified";
  readonly subject: string;
  readonly issuer: string;
  readonly rights: ReadonlyMap<Vin, OwnerRole>;
  readonly expiresAtSeconds: number;
};

const parseRight = (entry: unknown): readonly [Vin, OwnerRole] | null => {
  const { vin, role } = (entry ?? {}) as Record<string, unknown>;
  const parsed = typeof vin === "string" ? parseVin(vin) : null;
  const known = OWNER_ROLES.find((candidate) => candidate === role);
  return parsed !== null && isVin(parsed) && known !== undefined ? [parsed, known] : null;
};

/** Verifies an owner's access token (at most 15 minutes, RFC 9068) and reads the rights in its `vehicles: [{vin, role}]`. */
export const verifyOwnerToken = async (
  token: string,
  policy: { readonly issuers: IssuerRing; readonly revoked: ReadonlySet<string>; readonly nowMs: number },
): Promise<VerifiedOwner | Refused> => {
  const issuer = claimedIssuerOf(token, policy.issuers);
  if (issuer.kind === "refused") return issuer;
  const verdict = await verifyJwt(token, {
    keys: issuer.keys,
    nowMs: policy.nowMs,
    audience: ROUTER_AUDIENCE,
    issuer: issuer.trust.issuer,
    types: ["at+jwt", "JWT"],
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
  });
  if (verdict.kind === "refused") return verdict;
  const { claims, kid } = verdict;
  if ([claims.jti, kid].some((id) => id !== undefined && policy.revoked.has(id))) return refused("revoked", "the credential was revoked");
  if (typeof claims.sub !== "string" || !Array.isArray(claims["vehicles"])) return refused("claims", "sub and vehicles are required");
  const rights = claims["vehicles"].map(parseRight).filter((right) => right !== null);
  return { kind: "verified", subject: claims.sub, issuer: issuer.trust.issuer, rights: new Map(rights), expiresAtSeconds: claims.exp ?? 0 };
};

/** Signs an owner's access token. */
export const signOwnerToken = (
  key: SigningKey,
  owner: {
    readonly subject: string;
    readonly issuer: string;
    readonly vehicles: readonly { vin: string; role: OwnerRole }[];
    readonly nowMs: number;
  },
): Promise<string> => {
  const iat = Math.floor(owner.nowMs / 1000);
  return signJwt(key, "at+jwt", {
    iss: owner.issuer,
    sub: owner.subject,
    aud: ROUTER_AUDIENCE,
    vehicles: owner.vehicles,
    iat,
    exp: iat + MAX_LIFETIME_SECONDS,
    jti: crypto.randomUUID(),
  });
};
