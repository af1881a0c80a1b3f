import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import type { Trust } from "../trust.ts";

export type VerifiedCache<T> = {
  get(credential: string, trust: Trust): T | undefined;
  set(credential: string, trust: Trust, caller: T): void;
};

/**
 * Callers of credentials that were verified before: never past their expiry, and only under the trust they were verified with, so that a changed issuer or a
 * revocation drops them all. Bounded: the one used longest ago is verified anew.
 */
export const createVerifiedCache = <T extends { readonly expiresAtSeconds: number }>(clock: Clock, max: number): VerifiedCache<T> => {
  const cache = new LRUCache<string, { readonly caller: T; readonly trust: Trust }>({ max });
  return {
    get(credential, trust) {
      const cached = cache.get(credential);
      if (cached === undefined || cached.trust !== trust || cached.caller.expiresAtSeconds * 1000 <= clock.now()) return undefined;
      return cached.caller;
    },
    set: (credential, trust, caller) => void cache.set(credential, { caller, trust }),
  };
};
