import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { type KeyRing, SIGNATURE_ALGORITHMS, type SigningKey } from "./keys.ts";

export const TOKEN_FAULTS = [
  "malformed",
  "algorithm",
  "unknown_key",
  "signature",
  "expired",
  "not_yet_valid",
  "audience",
  "issuer",
  "type",
  "claims",
  "revoked",
] as const;
export type TokenFault = (typeof TOKEN_FAULTS)[number];

export type Refused = { readonly kind: "refused"; readonly fault: TokenFault; readonly detail: string };
export type VerifiedJwt = { readonly kind: "verified"; readonly claims: JWTPayload; readonly kid: string | undefined };

export type JwtPolicy = {
  readonly keys: KeyRing;
  readonly nowMs: number;
  readonly audience?: string;
  readonly issuer?: string;
  readonly typ?: string;
  /** Longest accepted `exp - iat`. */
  readonly maxLifetimeSeconds?: number;
  /** An expired token verifies all the same: its signature is evidence. */
  readonly isExpiryIgnored?: boolean;
};

/** Clock difference that is forgiven (RFC 7519 §4.1.4). */
export const LEEWAY_SECONDS = 60;

export const refused = (fault: TokenFault, detail: string): Refused => ({ kind: "refused", fault, detail });

const CLAIM_FAULTS: Readonly<Record<string, TokenFault>> = { aud: "audience", iss: "issuer", nbf: "not_yet_valid", typ: "type" };

const faultOf = (error: unknown): Refused => {
  if (error instanceof errors.JWTExpired) return refused("expired", "the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) return refused(CLAIM_FAULTS[error.claim] ?? "claims", error.message);
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused("signature", "the signature does not verify");
  if (error instanceof errors.JOSEError) return refused("malformed", error.message);
  throw error;
};

/** Signs a JWT (RFC 7519); claims carry their own `iat` and `exp`, in seconds. */
export const signJwt = (key: SigningKey, typ: string, claims: JWTPayload): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, typ }).sign(key.key);

/** Verifies a JWT against a ring of keys, an explicit list of algorithms and a policy. Refusals are values. */
export const verifyJwt = async (token: string, policy: JwtPolicy): Promise<VerifiedJwt | Refused> => {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const algorithm = SIGNATURE_ALGORITHMS.find((candidate) => candidate === alg);
    if (algorithm === undefined) return refused("algorithm", `algorithm must be one of ${SIGNATURE_ALGORITHMS.join(", ")}`);
    const key = policy.keys.find(kid, algorithm);
    if (key === undefined) return refused("unknown_key", "no trusted key has this kid and algorithm");
    const { payload } = await jwtVerify(token, await key, {
      algorithms: [algorithm],
      currentDate: new Date(policy.isExpiryIgnored ? 0 : policy.nowMs),
      clockTolerance: policy.isExpiryIgnored ? Number.MAX_SAFE_INTEGER : LEEWAY_SECONDS,
      requiredClaims: ["exp", "iat"],
      ...(policy.audience !== undefined && { audience: policy.audience }),
      ...(policy.issuer !== undefined && { issuer: policy.issuer }),
      ...(policy.typ !== undefined && { typ: policy.typ }),
    });
    const lifetimeSeconds = (payload.exp ?? 0) - (payload.iat ?? 0);
    if (policy.maxLifetimeSeconds !== undefined && lifetimeSeconds > policy.maxLifetimeSeconds) {
      return refused("claims", `the token may live ${policy.maxLifetimeSeconds} s at most`);
    }
    return { kind: "verified", claims: payload, kid };
  } catch (error) {
    return faultOf(error);
  }
};
