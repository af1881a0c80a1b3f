import type { Context } from "hono";
import { MIN_EPOCH_HEADER } from "#schema/api/route.ts";
import { isTicketFresh } from "#schema/domain/ticket.ts";
import type { Answer, KeptAnswer } from "../answers.ts";
import { charge } from "../caller/charge.ts";
import type { RouterDeps } from "../deps.ts";
import type { Vehicle } from "../store/port.ts";
import { logServed } from "./log-outcome.ts";

const TOKEN_START = "Bearer ey";

/** Whether a look-up would still find the record: by its lease, else by looking. */
const isRecordHeld = (deps: RouterDeps, vehicle: Vehicle, { record, lease }: KeptAnswer, nowMs: number): boolean => {
  if (nowMs < lease.untilMs) return true;
  const lookup = deps.resolving.store.find(vehicle);
  if (lookup instanceof Promise || lookup.kind !== "found" || lookup.isVanished) return false;
  return lookup.record.epoch === record.epoch && lookup.record.cell === record.cell;
};

/**
 * The hot path: the last answer to this very token, when everything it was made from is still held and still so (trust, record, topology, ticket). Does what
 * `serveVehicle` would do, without waiting for anything; undefined sends the request there.
 */
export const serveKept = (deps: RouterDeps, c: Context): Answer | undefined => {
  const { clock, instruments } = deps;
  const startedAtMs = clock.monotonic();
  const held = deps.topology.current();
  const header = c.req.header("Authorization");
  if (held === null || held instanceof Promise || header?.startsWith(TOKEN_START) !== true) return undefined;
  const nowMs = clock.now();
  const caller = deps.credentials.device.seen(header.slice(TOKEN_START.length - 2), held.trust, nowMs);
  const kept = caller?.kept;
  if (caller === undefined || kept === undefined || kept.topology !== held.topology || !isTicketFresh(kept.answer, nowMs / 1000))
    return undefined;
  if (c.req.header(MIN_EPOCH_HEADER) !== undefined || !isRecordHeld(deps, caller.vehicle, kept, nowMs)) return undefined;
  instruments.cachedCredentials.inc();
  charge(caller.own, 1, nowMs);
  charge(caller.ofIssuer, 1, nowMs);
  instruments.lookups.isolate.inc();
  logServed(deps, c, caller.vehicle, kept.told);
  instruments.served[kept.told.reason].inc();
  instruments.decisions.observe((clock.monotonic() - startedAtMs) / 1000);
  deps.points.flush();
  return kept.answer;
};
