import type { Context } from "hono";
import { AppError, type ErrorCode } from "#schema/api/error.ts";
import { MIN_EPOCH_HEADER } from "#schema/api/route.ts";
import { requestIdOf } from "#schema/http/problems.ts";
import type { Answer } from "../answers.ts";
import { authenticateDevice } from "../caller/authenticate.ts";
import { parseMinEpoch } from "../caller/min-epoch.ts";
import type { RouterDeps } from "../deps.ts";
import { type Resolution, resolve } from "../resolve.ts";
import type { Vehicle } from "../store/port.ts";
import type { HeldTopology } from "../topology-holder.ts";
import { traceparentOf } from "../traceparent.ts";

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

/** Every placement, refusal and failover is logged, of `assigned` one in many. */
const logResolution = (deps: RouterDeps, c: Context, vehicle: Vehicle, resolution: Resolution): void => {
  const { vinKey } = vehicle;
  if (resolution.kind === "refused") {
    deps.logger.warn("refused", { requestId: requestIdOf(c), vinKey, code: resolution.code });
    return;
  }
  const { served, origin } = resolution;
  if (served.reason === "assigned" && !deps.isSampled()) return;
  deps.logger.info("routed", { requestId: requestIdOf(c), vinKey, cell: served.cell, epoch: served.epoch, reason: served.reason, origin });
};

/** The answer to the vehicle that asks; refusals are thrown. */
export const serveVehicle = async (deps: RouterDeps, c: Context): Promise<Answer> => {
  const { instruments, clock } = deps;
  const startedAtMs = clock.monotonic();
  const held = await topologyOf(deps);
  const { vehicle, issuer } = await authenticateDevice(deps, c, held.trust);
  const minEpoch = parseMinEpoch(c.req.header(MIN_EPOCH_HEADER));
  const resolution = await resolve(deps.resolving, held, { vehicle, issuer, minEpoch, traceparent: () => traceparentOf(c) });
  logResolution(deps, c, vehicle, resolution);
  if (resolution.kind === "refused") throw refusalOf(deps, resolution.code);
  const answer = await deps.answers.of(vehicle, resolution.served, resolution.topology);
  instruments.lookups[resolution.origin].inc();
  instruments.served[resolution.served.reason].inc();
  instruments.decisions.observe((clock.monotonic() - startedAtMs) / 1000);
  deps.points.flush();
  return answer;
};
