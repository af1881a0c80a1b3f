import { LRUCache } from "lru-cache";
import { CELL_AUDIENCE, unverifiedIssuerOf, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { LEEWAY_SECONDS, type TokenFault } from "#schema/crypto/jwt.ts";
import { isTicketToken, verifyTicket } from "#schema/crypto/ticket-token.ts";
import type { Credential } from "#schema/domain/admission.ts";
import type { Ticket } from "#schema/domain/ticket.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { World } from "./world.ts";

type Verified =
  | { readonly kind: "device"; readonly vin: Vin; readonly expiresAtSeconds: number }
  | { readonly kind: "ticket"; readonly ticket: Ticket };

/** A credential as admission sees it; a ticket also says its vehicle's vinKey. */
export type Presented = { readonly credential: Credential; readonly vinKey: VinKey | null };

/** Reads and verifies what a vehicle presents: a ticket or a device JWT, told apart by the `typ` header. */
export type CredentialReader = (token: string, world: World, nowMs: number) => Promise<Presented>;

const unverifiable = (isKeyUnknown: boolean): Presented => ({ credential: { kind: "unverifiable", isKeyUnknown }, vinKey: null });

const verify = async (
  token: string,
  world: World,
  nowMs: number,
): Promise<Verified | { readonly kind: "refused"; readonly fault: TokenFault }> => {
  if (isTicketToken(token)) {
    const verdict = await verifyTicket(token, { keysOfPop: world.keysOfPop, pop: unverifiedIssuerOf(token) ?? "", nowMs });
    return verdict.kind === "refused" ? verdict : { kind: "ticket", ticket: verdict.ticket };
  }
  const verdict = await verifyDeviceToken(token, { issuers: world.deviceIssuers, audience: CELL_AUDIENCE, revoked: world.revoked, nowMs });
  // Another ticket would not help here: only a POP's unknown key asks for the device credential instead.
  if (verdict.kind === "refused") return { kind: "refused", fault: verdict.fault === "unknown_key" ? "signature" : verdict.fault };
  return { kind: "device", vin: verdict.vin, expiresAtSeconds: verdict.expiresAtSeconds };
};

const present = (verified: Verified, nowMs: number): Presented => {
  if (verified.kind === "device") {
    const isExpired = (verified.expiresAtSeconds + LEEWAY_SECONDS) * 1000 <= nowMs;
    return isExpired ? unverifiable(false) : { credential: { kind: "device", vin: verified.vin }, vinKey: null };
  }
  const { sub: vin, cell, epoch, reason, exp, vinKey } = verified.ticket;
  const isExpired = exp * 1000 <= nowMs;
  return { credential: { kind: "ticket", vin, cell, epoch, isFailover: reason === "failover", isExpired }, vinKey };
};

/** Signatures once verified are remembered until the world changes; the oldest go first when `capacity` is reached. Times are looked at each time. */
export const createCredentialReader = (capacity: number): CredentialReader => {
  const caches = new WeakMap<World, LRUCache<string, Verified>>();
  return async (token, world, nowMs) => {
    const cache = caches.get(world) ?? new LRUCache<string, Verified>({ max: capacity });
    caches.set(world, cache);
    const known = cache.get(token);
    if (known !== undefined) return present(known, nowMs);
    const verdict = await verify(token, world, nowMs);
    if (verdict.kind === "refused") return unverifiable(verdict.fault === "unknown_key");
    cache.set(token, verdict);
    return present(verdict, nowMs);
  };
};
