import { LRUCache } from "lru-cache";

export type Limit = { readonly name: string; readonly perSecond: number; readonly burst: number };

/** One token bucket. */
export type Bucket = {
  readonly limit: Limit;
  /** Takes tokens; 0 when they were there, else the milliseconds until they are. */
  take(cost: number, nowMs: number): number;
};

/** Token buckets by key in isolate memory. Above `max` keys the one used longest ago is forgotten, which refills it. */
export type Buckets = { of(key: string): Bucket };

const createBucket = (limit: Limit): Bucket => {
  let tokens = limit.burst;
  let atMs = 0;
  return {
    limit,
    take(cost, nowMs) {
      tokens = Math.min(limit.burst, tokens + (Math.max(0, nowMs - atMs) * limit.perSecond) / 1000);
      atMs = nowMs;
      if (tokens < cost) return Math.ceil(((cost - tokens) * 1000) / limit.perSecond);
      tokens -= cost;
      return 0;
    },
  };
};

export const createBuckets = (limit: Limit, max: number): Buckets => {
  const buckets = new LRUCache<string, Bucket>({ max });
  return {
    of(key) {
      const known = buckets.get(key);
      if (known !== undefined) return known;
      const bucket = createBucket(limit);
      buckets.set(key, bucket);
      return bucket;
    },
  };
};

/** `RateLimit-Policy` of a bucket: its burst as quota and the seconds in which it refills (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimitPolicyOf = ({ name, burst, perSecond }: Limit): string => `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`;
