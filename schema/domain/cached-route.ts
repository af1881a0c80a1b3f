import type { CellId, Endpoints } from "./cell.ts";
import { decideRoute, type RouteRecord } from "./route.ts";
import type { Topology } from "./topology.ts";

export const CACHED_ROUTE_STATES = ["valid", "stale", "moved", "draining", "failed-over", "unknown"] as const;
/** What is to be said of a route that a vehicle has cached. */
export type CachedRouteState = (typeof CACHED_ROUTE_STATES)[number];

export type CachedRoute = {
  readonly cell: CellId;
  readonly epoch: number;
  readonly endpoints: { readonly [name in keyof Endpoints]?: Endpoints[name] | undefined };
};

export type MendingStep =
  | { readonly action: "resolve"; readonly minEpoch: number }
  | { readonly action: "connect"; readonly cell: CellId; readonly endpoints: Endpoints }
  | { readonly action: "wait_for_move" }
  | { readonly action: "enrol" };

export type CachedRouteVerdict = { readonly state: CachedRouteState; readonly steps: readonly MendingStep[] };

const hasSameEndpoints = (cached: CachedRoute, endpoints: Endpoints): boolean =>
  (["mqtt", "mqttWs", "https"] as const).every(
    (name) => cached.endpoints[name] === undefined || cached.endpoints[name] === endpoints[name],
  );

/**
 * What a vehicle should do about the route that it has cached, given its record and the topology: nothing when it would be told the same again; stay when its
 * cell is draining; resolve, and connect where it is sent, when it is served elsewhere or under other endpoints.
 */
export const judgeCachedRoute = (cached: CachedRoute, record: RouteRecord | null, topology: Topology): CachedRouteVerdict => {
  const decision = decideRoute(record, topology);
  if (decision.kind === "place") return { state: "unknown", steps: [{ action: "resolve", minEpoch: cached.epoch }] };
  if (decision.kind === "look_past_cache") return { state: "stale", steps: [{ action: "resolve", minEpoch: cached.epoch + 1 }] };
  const { owner, cell, epoch, reason } = decision;
  const resolve: MendingStep = { action: "resolve", minEpoch: epoch };
  const target = topology.cells[cell];
  const move: MendingStep[] = target === undefined ? [resolve] : [resolve, { action: "connect", cell, endpoints: target.endpoints }];
  const isThere = cached.cell === cell && (target === undefined || hasSameEndpoints(cached, target.endpoints));
  if (reason === "failover") return { state: "failed-over", steps: isThere && cached.epoch === epoch ? [] : move };
  if (cached.cell !== owner) return { state: "moved", steps: move };
  if (!isThere) return { state: "stale", steps: move };
  if (cached.epoch !== epoch) return { state: "stale", steps: [resolve] };
  if (target?.state === "draining") return { state: "draining", steps: [{ action: "wait_for_move" }] };
  return { state: "valid", steps: [] };
};
