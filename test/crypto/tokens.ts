import { base64url, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { CELL_AUDIENCE, ROUTER_AUDIENCE } from "#schema/crypto/device-token.ts";
import { generateSigningJwk, importSigningKey, type PrivateJwk, publicJwkOf, type SigningKey } from "#schema/crypto/keys.ts";
import type { PublicJwk, TrustedIssuer } from "#schema/domain/topology.ts";

export const VIN = "WVWZZZ1JZ3W386752";
export const ISSUER = "https://identity.example.com";
/** Milliseconds and seconds of the moment at which the tests take place. */
export const NOW = Date.UTC(2026, 10, 20, 12);
export const NOW_SECONDS = NOW / 1000;

export type Pair = { readonly privateJwk: PrivateJwk; readonly publicJwk: PublicJwk; readonly key: SigningKey };

export const pairOf = async (privateJwk: PrivateJwk): Promise<Pair> => ({
  privateJwk,
  publicJwk: publicJwkOf(privateJwk),
  key: await importSigningKey(privateJwk),
});

export const newPair = async (prefix = "test"): Promise<Pair> => pairOf(await generateSigningJwk(prefix));

export const issuerOf = (keys: readonly PublicJwk[], more: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  issuer: ISSUER,
  kind: "device",
  wmis: ["WVW"],
  keys,
  ...more,
});

/** Claims of a good device token; `changes` with undefined remove a claim. */
export const deviceClaims = (changes: Readonly<Record<string, unknown>> = {}): JWTPayload =>
  withoutUndefined({
    iss: ISSUER,
    sub: VIN,
    aud: [ROUTER_AUDIENCE, CELL_AUDIENCE],
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 3600,
    jti: "token-1",
    ...changes,
  });

const withoutUndefined = (claims: Readonly<Record<string, unknown>>): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));

/** Signs any claims under any header with a real key: what a confused or malicious issuer could send. */
export const forge = (pair: Pair, claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}): Promise<string> => {
  const { alg = pair.key.alg, ...rest } = { kid: pair.key.kid, typ: "JWT", ...header };
  return new SignJWT(claims).setProtectedHeader(withoutUndefined({ alg, ...rest }) as JWTHeaderParameters).sign(pair.key.key);
};

const encode = (value: unknown): string => base64url.encode(JSON.stringify(value));

/** A token with a header and a signature of the caller's own making. */
export const assemble = (header: unknown, claims: unknown, signature: string): string => `${encode(header)}.${encode(claims)}.${signature}`;

/** The same token with other claims under the old signature. */
export const tamper = (token: string, changes: JWTPayload): string => {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
  return `${header}.${encode({ ...claims, ...changes })}.${signature}`;
};
