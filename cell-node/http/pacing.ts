import { LRUCache } from "lru-cache";
import { AppError } from "#schema/api/error.ts";
import { createTokenBucket, type TokenBucket } from "../admission/token-bucket.ts";
import type { Clock } from "../clock.ts";
import type { OwnerRequest } from "./owner.ts";

/** Takes one of what a user may do to a vehicle; throws `rate_limited` when none is left. */
export type Pacing = (request: Pick<OwnerRequest, "requestedBy" | "vehicle">) => void;

/** Pairs of user and vehicle that are remembered; one that is pushed out starts afresh. */
const PAIRS = 50_000;

/** At most `quota` at once, and as many in each `windowSeconds` from then on, for each user and vehicle. The policy is told as in draft-ietf-httpapi-ratelimit-headers. */
export const createPacing = (
  name: string,
  { quota, windowSeconds }: { readonly quota: number; readonly windowSeconds: number },
  clock: Clock,
): Pacing => {
  const buckets = new LRUCache<string, TokenBucket>({ max: PAIRS });
  const retryAfterSeconds = Math.max(1, Math.ceil(windowSeconds / quota));
  const headers = { "RateLimit-Policy": `"${name}";q=${quota};w=${windowSeconds}`, RateLimit: `"${name}";r=0;t=${retryAfterSeconds}` };
  return ({ requestedBy, vehicle }) => {
    const pair = `${vehicle.number}\n${requestedBy}`;
    const take = buckets.get(pair) ?? createTokenBucket(quota / windowSeconds, quota);
    buckets.set(pair, take);
    if (take(clock.nowMs())) return;
    throw new AppError("rate_limited", `a user may do this to a vehicle ${quota} times in ${windowSeconds} s`, {
      retryAfterSeconds,
      headers,
    });
  };
};
