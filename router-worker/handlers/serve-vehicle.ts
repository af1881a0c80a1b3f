import type { Context } from "hono";
import { AppError, type ErrorCode } from "#schema/api/error.ts";
import { MIN_EPOCH_HEADER } from "#schema/api/route.ts";
import type { Answer } from "../answers.ts";
import { authenticateDevice } from "../caller/authenticate.ts";
import { parseMinEpoch } from "../caller/min-epoch.ts";
import type { RouterDeps } from "../deps.ts";
import { resolve } from "../resolve.ts";
import type { HeldTopology } from "../topology-holder.ts";
import { traceparentOf } from "../traceparent.ts";
import { logRefused, logServed } from "./log-outcome.ts";

const REFUSALS: Partial<Record<ErrorCode, string>> = {
  no_capacity: "no cell has room for this vehicle at the moment",
  no_cell_in_zone: "no cell is in this vehicle's zone",
  not_enrolled: "this vehicle is not enrolled",
  placement_unavailable: "this vehicle has no cell yet and none can be chosen at the moment",
  edge_cold: "this edge location has not seen any routing data yet",
};

const RETRY_AFTER_SECONDS = 2;
const RETRY_SPREAD_SECONDS = 8;

/** A refusal that may be retried says when, spread so that a crowd does not come back at once (I11). */
export const refusalOf = (deps: Pick<RouterDeps, "random">, code: ErrorCode): AppError =>
  new AppError(code, REFUSALS[code] ?? "the vehicle cannot be routed", {
    retryAfterSeconds: RETRY_AFTER_SECONDS + Math.floor(deps.random() * RETRY_SPREAD_SECONDS),
  });

/** The topology to decide by; an edge that has none refuses. */
export const topologyOf = async (deps: RouterDeps): Promise<HeldTopology> => {
  const held = await deps.topology.current();
  if (held === null) throw refusalOf(deps, "edge_cold");
  return held;
};

const NO_LEASE = { untilMs: 0 };

/** The answer to the vehicle that asks; refusals are thrown. */
export const serveVehicle = async (deps: RouterDeps, c: Context): Promise<Answer> => {
  const { instruments, clock } = deps;
  const startedAtMs = clock.monotonic();
  const held = await topologyOf(deps);
  const caller = await authenticateDevice(deps, c, held.trust);
  const { vehicle, issuer } = caller;
  const minEpoch = parseMinEpoch(c.req.header(MIN_EPOCH_HEADER));
  const resolution = await resolve(deps.resolving, held, { vehicle, issuer, minEpoch, traceparent: () => traceparentOf(c) });
  if (resolution.kind === "refused") {
    logRefused(deps, c, vehicle, resolution.code);
    throw refusalOf(deps, resolution.code);
  }
  const { served, origin, found } = resolution;
  const answer = await deps.answers.of(vehicle, served, resolution.held);
  const { cell, epoch, reason } = served;
  logServed(deps, c, vehicle, { cell, epoch, reason, origin });
  const mayKeep = found !== undefined && reason === "assigned";
  const { generation } = resolution.held;
  caller.kept = mayKeep ? { answer, record: found.record, lease: found.lease ?? NO_LEASE, generation } : undefined;
  instruments.lookups[origin].inc();
  instruments.served[reason].inc();
  instruments.decisions.observe((clock.monotonic() - startedAtMs) / 1000);
  deps.points.flush();
  return answer;
};
