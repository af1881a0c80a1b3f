import { AppError } from "#schema/api/error.ts";
import { type Bucket, rateLimitPolicyOf } from "../limits.ts";

/** Takes tokens or refuses with 429, Retry-After and the policy. */
export const charge = (bucket: Bucket, cost: number, nowMs: number): void => {
  const waitMs = bucket.take(cost, nowMs);
  if (waitMs === 0) return;
  throw new AppError("rate_limited", `the limit "${bucket.limit.name}" is used up`, {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    headers: { "RateLimit-Policy": rateLimitPolicyOf(bucket.limit) },
  });
};
