import { MIN_EPOCH_HEADER } from "#schema/api/route.ts";
import { isTicketFresh } from "#schema/domain/ticket.ts";
import type { Answer, KeptAnswer } from "../answers.ts";
import type { DeviceCaller } from "../caller/credentials.ts";
import type { RouterDeps } from "../deps.ts";
import type { Vehicle } from "../store/port.ts";

/** Whether a look-up would still find the record: by its lease, else by looking. */
const isRecordHeld = (deps: RouterDeps, vehicle: Vehicle, { record, lease }: KeptAnswer, nowMs: number): boolean => {
  if (nowMs < lease.untilMs) return true;
  const lookup = deps.resolving.store.find(vehicle);
  if (lookup instanceof Promise || lookup.kind !== "found" || lookup.isVanished) return false;
  return lookup.record.epoch === record.epoch && lookup.record.cell === record.cell;
};

/** Takes from both limits; when one is used up, the long way says so. */
const isWithinLimits = ({ own, ofIssuer }: DeviceCaller, nowMs: number): boolean =>
  own.take(1, nowMs) === 0 && ofIssuer.take(1, nowMs) === 0;

/**
 * The hot path: the last answer to this very credential, when everything that it was made from is held and still so: trust, topology, record, ticket, limits.
 * It waits for nothing, refuses nothing and logs nothing; undefined sends the request the long way, which would answer the same.
 */
export const serveKept = (deps: RouterDeps, headers: Headers): Answer | undefined => {
  const authorization = headers.get("Authorization");
  const held = deps.topology.current();
  if (authorization === null || held === null || held instanceof Promise) return undefined;
  const nowMs = deps.clock.now();
  const caller = deps.credentials.device.seen(authorization, held.trust, nowMs);
  const kept = caller?.kept;
  if (caller === undefined || kept === undefined || kept.generation !== held.generation || !isTicketFresh(kept.answer, nowMs / 1000))
    return undefined;
  if (headers.get(MIN_EPOCH_HEADER) !== null || !isRecordHeld(deps, caller.vehicle, kept, nowMs)) return undefined;
  if (!isWithinLimits(caller, nowMs) || !deps.sampler.passes()) return undefined;
  const { instruments } = deps;
  instruments.cachedCredentials.inc();
  instruments.lookups.isolate.inc();
  instruments.served.assigned.inc();
  // Made of memory alone, such a decision takes microseconds: less than the first bound, and than the platform's clock shows.
  instruments.decisions.observe(0);
  deps.points.flush();
  return kept.answer;
};
