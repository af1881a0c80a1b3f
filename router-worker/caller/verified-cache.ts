import { LRUCache } from "lru-cache";
import type { Trust } from "../trust.ts";

export type VerifiedCache<T> = {
  get(credential: string, trust: Trust, nowMs: number): T | undefined;
  set(credential: string, trust: Trust, caller: T): void;
};

/** A credential is found by its end, which of a token is its signature, and then compared whole: hashing all of it costs more than all the rest. */
const tailOf = (credential: string): string => credential.slice(-32);

/**
 * Callers of credentials that were verified before: never past their expiry, and only under the trust they were verified with, so that a changed issuer or a
 * revocation drops them all. Bounded: the one used longest ago is verified anew.
 */
export const createVerifiedCache = <T extends { readonly expiresAtSeconds: number }>(max: number): VerifiedCache<T> => {
  const cache = new LRUCache<string, { readonly credential: string; readonly caller: T; readonly generation: number }>({ max });
  return {
    get(credential, trust, nowMs) {
      const cached = cache.get(tailOf(credential));
      if (cached?.credential !== credential || cached.generation !== trust.generation || cached.caller.expiresAtSeconds * 1000 <= nowMs)
        return undefined;
      return cached.caller;
    },
    set: (credential, trust, caller) => void cache.set(tailOf(credential), { credential, caller, generation: trust.generation }),
  };
};
