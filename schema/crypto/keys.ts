import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import type { PublicJwk } from "#schema/domain/topology.ts";

export const SIGNATURE_ALGORITHMS = ["EdDSA", "ES256"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** What OIDC providers sign with; RS256 is what most of them do, and nobody else may. */
export const PROVIDER_ALGORITHMS = [...SIGNATURE_ALGORITHMS, "RS256"] as const;
export type VerifiedAlgorithm = (typeof PROVIDER_ALGORITHMS)[number];

export type PrivateJwk = PublicJwk & { readonly d: string };
export type SigningKey = { readonly kid: string; readonly alg: SignatureAlgorithm; readonly key: CryptoKey };

const algorithmOf = (jwk: { readonly kty: string }): SignatureAlgorithm => (jwk.kty === "EC" ? "ES256" : "EdDSA");
const verifiedAlgorithmOf = (jwk: { readonly kty: string }): VerifiedAlgorithm => (jwk.kty === "RSA" ? "RS256" : algorithmOf(jwk));

const importCryptoKey = async (jwk: PublicJwk): Promise<CryptoKey> => {
  const key = await importJWK(jwk as JWK, verifiedAlgorithmOf(jwk));
  if (key instanceof Uint8Array) throw new TypeError(`key ${jwk.kid} is not an asymmetric key`);
  return key;
};

/** A new Ed25519 pair; `kid` is the RFC 7638 thumbprint behind the prefix. */
export const generateSigningJwk = async (prefix: string): Promise<PrivateJwk> => {
  const pair = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  const kid = `${prefix}-${(await calculateJwkThumbprint(jwk)).slice(0, 12)}`;
  return { ...jwk, kty: "OKP", kid, alg: "EdDSA", use: "sig" } as PrivateJwk;
};

/** The public half of a private key. */
export const publicJwkOf = ({ d: _, ...rest }: PrivateJwk): PublicJwk => rest;

export const importSigningKey = async (jwk: PrivateJwk): Promise<SigningKey> => ({
  kid: jwk.kid,
  alg: algorithmOf(jwk),
  key: await importCryptoKey(jwk),
});

/** The RFC 7638 thumbprint: the same for the same key, whatever its `kid`. */
export const thumbprintOf = (jwk: PublicJwk): Promise<string> => calculateJwkThumbprint(jwk as JWK);

/** Public keys by `kid`, each imported once. */
export type KeyRing = {
  /** The key of that `kid` and algorithm; without a `kid` the only key of that algorithm; undefined when there is none or it is broken. */
  find(kid: string | undefined, alg: VerifiedAlgorithm): Promise<CryptoKey | undefined>;
};

export const createKeyRing = (jwks: readonly PublicJwk[]): KeyRing => {
  const imported = new Map<PublicJwk, Promise<CryptoKey | undefined>>();
  return {
    async find(kid, alg) {
      const fitting = jwks.filter((jwk) => verifiedAlgorithmOf(jwk) === alg && (kid === undefined || jwk.kid === kid));
      const [jwk] = fitting;
      if (jwk === undefined || fitting.length > 1) return undefined;
      const key = imported.get(jwk) ?? importCryptoKey(jwk).catch(() => undefined);
      imported.set(jwk, key);
      return key;
    },
  };
};
