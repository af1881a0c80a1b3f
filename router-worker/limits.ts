import { LRUCache } from "lru-cache";
import type { Clock } from "./clock.ts";

export type Limit = { readonly name: string; readonly perSecond: number; readonly burst: number };

export type Buckets = {
  readonly limit: Limit;
  /** Takes `cost` tokens of the key's bucket; 0 when they were there, else the milliseconds until they are. */
  take(key: string, cost?: number): number;
};

/** Token buckets by key in isolate memory. Above `max` keys the one used longest ago is forgotten, which refills it. */
export const createBuckets = (clock: Clock, limit: Limit, max: number): Buckets => {
  const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max });
  return {
    limit,
    take(key, cost = 1) {
      const nowMs = clock.now();
      const bucket = buckets.get(key);
      if (bucket === undefined) {
        buckets.set(key, { tokens: limit.burst - cost, atMs: nowMs });
        return 0;
      }
      bucket.tokens = Math.min(limit.burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * limit.perSecond) / 1000);
      bucket.atMs = nowMs;
      if (bucket.tokens < cost) return Math.ceil(((cost - bucket.tokens) * 1000) / limit.perSecond);
      bucket.tokens -= cost;
      return 0;
    },
  };
};

/** `RateLimit-Policy` of a bucket: its burst as quota and the seconds in which it refills (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimitPolicyOf = ({ name, burst, perSecond }: Limit): string => `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`;
