import type { Context } from "hono";
import { AppError } from "#schema/api/error.ts";
import type { RouterDeps } from "../deps.ts";
import { type Buckets, rateLimitPolicyOf } from "../limits.ts";
import type { Trust } from "../trust.ts";
import type { DeviceCaller } from "./credentials.ts";

const BEARER = /^Bearer +([^ ]+)$/i;

/** Takes tokens or refuses with 429, Retry-After and the policy. */
export const charge = (buckets: Buckets, key: string, cost: number): void => {
  const waitMs = buckets.take(key, cost);
  if (waitMs === 0) return;
  throw new AppError("rate_limited", `the limit "${buckets.limit.name}" is used up`, {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    headers: { "RateLimit-Policy": rateLimitPolicyOf(buckets.limit) },
  });
};

/** The bearer token of a request; refuses anything else with 401. */
export const bearerOf = (header: string | undefined): string => {
  const token = header?.startsWith("Bearer ey") ? header.slice(7) : BEARER.exec(header ?? "")?.[1];
  if (token === undefined) throw new AppError("unauthenticated", "send a credential as Authorization: Bearer <token>");
  return token;
};

/**
 * The vehicle that a request comes from. A credential that was verified before costs one token of the vehicle's and the issuer's limits and no crypto;
 * a new one costs more, of its address first, so that guessing never starves the fleet.
 */
export const authenticateDevice = async (deps: RouterDeps, c: Context, trust: Trust): Promise<DeviceCaller> => {
  const { credentials, limits, instruments, settings } = deps;
  const token = bearerOf(c.req.header("Authorization"));
  const seen = credentials.seen(token, trust);
  if (seen !== undefined) {
    instruments.credentials.inc("cached");
    charge(limits.vehicle, seen.vehicle.vin, 1);
    charge(limits.issuer, seen.issuer, 1);
    return seen;
  }
  const address = c.req.header("CF-Connecting-IP");
  if (address !== undefined) charge(limits.address, address, settings.limits.unseenCost);
  const verdict = await credentials.verify(token, trust);
  instruments.credentials.inc(verdict.kind === "refused" ? verdict.fault : "verified");
  if (verdict.kind === "refused") throw new AppError("unauthenticated", verdict.detail);
  charge(limits.vehicle, verdict.vehicle.vin, 1);
  charge(limits.issuer, verdict.issuer, settings.limits.unseenCost);
  return verdict;
};
