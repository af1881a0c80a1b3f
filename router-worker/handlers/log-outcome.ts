import type { Context } from "hono";
import type { ErrorCode } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { RouteReason } from "#schema/domain/route.ts";
import { requestIdOf } from "#schema/http/problems.ts";
import type { RouterDeps } from "../deps.ts";
import type { Origin, Vehicle } from "../store/port.ts";

type Told = { readonly cell: CellId; readonly epoch: number; readonly reason: RouteReason; readonly origin: Origin };

/** Every placement, failover and stale answer is logged, of `assigned` one in many. */
export const logServed = (deps: RouterDeps, c: Context, { vinKey }: Vehicle, told: Told): void => {
  if (told.reason === "assigned" && !deps.sampler.picks()) return;
  const { cell, epoch, reason, origin } = told;
  deps.logger.info("routed", { requestId: requestIdOf(c), vinKey, cell, epoch, reason, origin });
};

/** Every refusal is logged. */
export const logRefused = (deps: RouterDeps, c: Context, { vinKey }: Vehicle, code: ErrorCode): void =>
  deps.logger.warn("refused", { requestId: requestIdOf(c), vinKey, code });
