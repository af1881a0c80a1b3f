import { decodeJwt } from "jose";
import type { TrustedIssuer } from "#schema/domain/topology.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { isWmiCovered } from "#schema/domain/wmi.ts";
import { type Refused, refused, signJwt, verifyJwt } from "./jwt.ts";
import { createKeyRing, type KeyRing, type SigningKey } from "./keys.ts";

export const ROUTER_AUDIENCE = "cloverleaf";
export const CELL_AUDIENCE = "cloverleaf-cell";
const CELL_MAX_LIFETIME_SECONDS = 7 * 24 * 3600;

/** Trusted issuers of one kind with their imported keys, by issuer name. Build it once per topology or view. */
export type IssuerRing = ReadonlyMap<string, IssuerKeys>;
type IssuerKeys = { readonly trust: TrustedIssuer; readonly keys: KeyRing };

export const createIssuerRing = (issuers: readonly TrustedIssuer[], kind: TrustedIssuer["kind"]): IssuerRing =>
  new Map(issuers.filter((trust) => trust.kind === kind).map((trust) => [trust.issuer, { trust, keys: createKeyRing(trust.keys) }]));

/** The `iss` of a token before anything is verified; null when it cannot be read. */
export const unverifiedIssuerOf = (token: string): string | null => {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" ? iss : null;
  } catch {
    return null;
  }
};

/** The trusted issuer that a token names, before anything is verified. */
export const claimedIssuerOf = (token: string, issuers: IssuerRing): ({ readonly kind: "trusted" } & IssuerKeys) | Refused => {
  const name = unverifiedIssuerOf(token);
  if (name === null) return refused("malformed", "the token is not a JWT with an issuer");
  const issuer = issuers.get(name);
  return issuer === undefined ? refused("issuer", "no trusted issuer signed this token") : { kind: "trusted", ...issuer };
};

export type VerifiedDevice = { readonly kind: "verified"; readonly vin: Vin; readonly issuer: string; readonly expiresAtSeconds: number };

/** Verifies a vehicle's JWT: trusted issuer, its WMIs, audience, expiry, revocation (`jti` or `kid`), and a `sub` that is a VIN. */
export const verifyDeviceToken = async (
  token: string,
  policy: { readonly issuers: IssuerRing; readonly audience: string; readonly revoked: ReadonlySet<string>; readonly nowMs: number },
): Promise<VerifiedDevice | Refused> => {
  const issuer = claimedIssuerOf(token, policy.issuers);
  if (issuer.kind === "refused") return issuer;
  const verdict = await verifyJwt(token, {
    keys: issuer.keys,
    nowMs: policy.nowMs,
    audience: policy.audience,
    issuer: issuer.trust.issuer,
    types: ["JWT"],
    ...(policy.audience === CELL_AUDIENCE && { maxLifetimeSeconds: CELL_MAX_LIFETIME_SECONDS }),
  });
  if (verdict.kind === "refused") return verdict;
  const { claims, kid } = verdict;
  if ([claims.jti, kid].some((id) => id !== undefined && policy.revoked.has(id))) return refused("revoked", "the credential was revoked");
  const vin = parseVin(claims.sub ?? "");
  if (!isVin(vin)) return refused("claims", `sub is not a VIN: ${vin.detail}`);
  if (!isWmiCovered(vin, issuer.trust.wmis)) return refused("issuer", "the issuer does not vouch for this manufacturer");
  return { kind: "verified", vin, issuer: issuer.trust.issuer, expiresAtSeconds: claims.exp ?? 0 };
};

/** Signs a vehicle's JWT for edge and cell. */
export const signDeviceToken = (
  key: SigningKey,
  device: { readonly vin: string; readonly issuer: string; readonly nowMs: number; readonly lifetimeSeconds: number },
): Promise<string> => {
  const iat = Math.floor(device.nowMs / 1000);
  return signJwt(key, "JWT", {
    iss: device.issuer,
    sub: device.vin,
    aud: [ROUTER_AUDIENCE, CELL_AUDIENCE],
    iat,
    exp: iat + device.lifetimeSeconds,
    jti: crypto.randomUUID(),
  });
};
