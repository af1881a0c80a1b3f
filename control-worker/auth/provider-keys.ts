import * as z from "zod";
import { createKeyRing, type KeyRing } from "#schema/crypto/keys.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { readBounded } from "../services/read-bounded.ts";

const FRESH_MS = 10 * 60_000;
/** An unknown kid asks the provider again, but not more often than this. */
const MIN_INTERVAL_MS = 30_000;
/** How long keys stand in for a provider that cannot be reached. */
const STALE_MS = 24 * 3600_000;
const TIMEOUT_MS = 3_000;
const MAX_JWKS_BYTES = 256 * 1024;

/** RFC 7517 §5: keys of unknown types are left out by those who read them. */
const Jwks = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().default(""), use: z.string().optional() })).max(100),
});
const KEY_TYPES = ["OKP", "EC", "RSA"];

type Cached = { readonly ring: KeyRing; readonly at: number };
type Provider = { cached: Cached | null; triedAt: number };
const providers = new Map<string, Provider>();

const fetchKeys = async (deps: Deps, jwksUri: string): Promise<KeyRing> => {
  const response = await deps.fetch(jwksUri, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200) throw new Error(`${jwksUri} answered ${response.status}`);
  const { keys } = Jwks.parse(JSON.parse(await readBounded(response, MAX_JWKS_BYTES)));
  const usable = keys.filter(({ kty, use }) => KEY_TYPES.includes(kty) && use !== "enc");
  return createKeyRing(usable as unknown as readonly PublicJwk[]);
};

/** An OIDC provider's published keys: fetched when first needed, again when they are old or a key is new. */
export const createProviderKeys = (deps: Deps, jwksUri: string): KeyRing => {
  const provider: Provider = providers.get(jwksUri) ?? { cached: null, triedAt: Number.NEGATIVE_INFINITY };
  providers.set(jwksUri, provider);
  const refresh = async (): Promise<void> => {
    const now = deps.clock();
    if (now - provider.triedAt < MIN_INTERVAL_MS) return;
    try {
      provider.cached = { ring: await fetchKeys(deps, jwksUri), at: now };
    } catch (error) {
      deps.logger.warn("the keys of an OIDC provider could not be read", { jwksUri, error });
      if (provider.cached !== null && now - provider.cached.at > STALE_MS) provider.cached = null;
    }
    provider.triedAt = now;
  };
  return {
    find: async (kid, alg) => {
      if (provider.cached === null || deps.clock() - provider.cached.at > FRESH_MS) await refresh();
      const known = await provider.cached?.ring.find(kid, alg);
      if (known !== undefined) return known;
      await refresh();
      return provider.cached?.ring.find(kid, alg);
    },
  };
};
