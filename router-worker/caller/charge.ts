import { AppError } from "#schema/api/error.ts";
import { type Buckets, rateLimitPolicyOf } from "../limits.ts";

/** Takes tokens or refuses with 429, Retry-After and the policy. */
export const charge = (buckets: Buckets, key: string, cost: number): void => {
  const waitMs = buckets.take(key, cost);
  if (waitMs === 0) return;
  throw new AppError("rate_limited", `the limit "${buckets.limit.name}" is used up`, {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    headers: { "RateLimit-Policy": rateLimitPolicyOf(buckets.limit) },
  });
};
