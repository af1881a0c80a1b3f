import { base64url, type CryptoKey, decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from "jose";
import { type KeyRing, SIGNATURE_ALGORITHMS, type SigningKey, type VerifiedAlgorithm } from "./keys.ts";

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
  /** Accepted `typ` headers (RFC 8725 §3.11): one kind of token never passes as another. A token without one is a "JWT". */
  readonly types: readonly string[];
  /** Accepted algorithms; those of this project without it. */
  readonly algorithms?: readonly VerifiedAlgorithm[];
  /** Longest accepted `exp - iat`. */
  readonly maxLifetimeSeconds?: number;
  /** An expired token verifies all the same: its signature is evidence. */
  readonly isExpiryIgnored?: boolean;
};

/** Clock difference that is forgiven (RFC 7519 §4.1.4). */
export const LEEWAY_SECONDS = 60;

export const refused = (fault: TokenFault, detail: string): Refused => ({ kind: "refused", fault, detail });

const CLAIM_FAULTS: Readonly<Record<string, TokenFault>> = { aud: "audience", iss: "issuer", nbf: "not_yet_valid" };

const faultOf = (error: unknown): Refused => {
  if (error instanceof errors.JWTExpired) return refused("expired", "the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) return refused(CLAIM_FAULTS[error.claim] ?? "claims", error.message);
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused("signature", "the signature does not verify");
  if (error instanceof errors.JOSEError) return refused("malformed", error.message);
  throw error;
};

const SIGN_PARAMETERS = { EdDSA: { name: "Ed25519" }, ES256: { name: "ECDSA", hash: "SHA-256" } } as const;
const encoder = new TextEncoder();

/** Signs a JWT (RFC 7519 §7.1); claims carry their own `iat` and `exp`, in seconds. By hand: a ticket is signed at every first request of a vehicle. */
export const signJwt = async (key: SigningKey, typ: string, claims: JWTPayload): Promise<string> => {
  const header = base64url.encode(JSON.stringify({ alg: key.alg, kid: key.kid, typ }));
  const input = `${header}.${base64url.encode(JSON.stringify(claims))}`;
  const signature = await crypto.subtle.sign(SIGN_PARAMETERS[key.alg], key.key, encoder.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
};

const headerOf = (token: string): ProtectedHeaderParameters | null => {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return null;
  }
};

/** Case and the "application/" prefix say nothing (RFC 7515 §4.1.9). */
const normalTyp = (typ: unknown): string =>
  String(typ)
    .toLowerCase()
    .replace(/^application\//, "");

/** The kind that a token says it is, before anything is verified; null when it cannot be read. */
export const claimedTypOf = (token: string): string | null => {
  const header = headerOf(token);
  return header === null ? null : normalTyp(header.typ ?? "JWT");
};

/** The claims of a token whose signature, audience and issuer hold. jose looks at the expiry last: an expired token passed all the rest. */
const claimsOf = async (token: string, key: CryptoKey, algorithm: VerifiedAlgorithm, policy: JwtPolicy): Promise<JWTPayload> => {
  const options = {
    algorithms: [algorithm],
    currentDate: new Date(policy.nowMs),
    clockTolerance: LEEWAY_SECONDS,
    requiredClaims: ["exp", "iat"],
    ...(policy.audience !== undefined && { audience: policy.audience }),
    ...(policy.issuer !== undefined && { issuer: policy.issuer }),
  };
  try {
    return (await jwtVerify(token, key, options)).payload;
  } catch (error) {
    if (policy.isExpiryIgnored && error instanceof errors.JWTExpired) return error.payload;
    throw error;
  }
};

/** Verifies a JWT against a ring of keys, an explicit list of algorithms and a policy. Refusals are values. */
export const verifyJwt = async (token: string, policy: JwtPolicy): Promise<VerifiedJwt | Refused> => {
  try {
    const header = headerOf(token);
    if (header === null) return refused("malformed", "the token is not a signed JWT");
    const { alg, kid, typ = "JWT" } = header;
    const { algorithms = SIGNATURE_ALGORITHMS } = policy;
    const algorithm = algorithms.find((candidate) => candidate === alg);
    if (algorithm === undefined) return refused("algorithm", `algorithm must be one of ${algorithms.join(", ")}`);
    if (!policy.types.some((accepted) => normalTyp(accepted) === normalTyp(typ))) return refused("type", "the token is of another kind");
    const key = await policy.keys.find(kid, algorithm);
    if (key === undefined) return refused("unknown_key", "no trusted key has this kid and algorithm");
    const claims = await claimsOf(token, key, algorithm, policy);
    const { exp = 0, iat = 0 } = claims;
    if (iat > policy.nowMs / 1000 + LEEWAY_SECONDS) return refused("not_yet_valid", "the token is from the future");
    if (policy.maxLifetimeSeconds !== undefined && exp - iat > policy.maxLifetimeSeconds) {
      return refused("claims", `the token may live ${policy.maxLifetimeSeconds} s at most`);
    }
    return { kind: "verified", claims, kid };
  } catch (error) {
    return faultOf(error);
  }
};
