import type { ErrorCode } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { decideRoute, OWNER_DOWN_TTL_SECONDS, type RouteReason, type RouteRecord } from "#schema/domain/route.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { PlacementVerdict } from "./control-client.ts";
import type { FoundRecord, Lookup, Origin, RouteStore, Vehicle } from "./store/port.ts";
import type { HeldTopology, TopologyHolder } from "./topology-holder.ts";

/** Where a vehicle is to go. */
export type Served = {
  readonly owner: CellId;
  readonly cell: CellId;
  readonly standby: CellId | null;
  readonly epoch: number;
  readonly reason: RouteReason;
  readonly ttlSeconds: number;
};

export type Resolution =
  | {
      readonly kind: "served";
      readonly served: Served;
      /** What it was decided by. */
      readonly held: HeldTopology;
      readonly origin: Origin;
      /** What was found, when the answer follows from that and the topology alone. */
      readonly found?: FoundRecord;
    }
  | { readonly kind: "refused"; readonly code: ErrorCode };

export type ResolveDeps = {
  readonly store: RouteStore;
  readonly topology: TopologyHolder;
  /** Asks control for a vehicle that has no record; one call per VIN at a time. */
  readonly place: (ask: ResolveAsk) => Promise<PlacementVerdict>;
  /** Asks control past a record that is held; likewise, and under a rate limit per VIN, beyond which control counts as away. */
  readonly confirm: (ask: ResolveAsk) => Promise<PlacementVerdict>;
};

export type ResolveAsk = {
  readonly vehicle: Vehicle;
  readonly issuer: string;
  readonly minEpoch: number | null;
  /** Read only when control is asked. */
  readonly traceparent: () => string | undefined;
};

/** Control's word is not asked for again within this time, whatever minimum epoch the vehicle sends. */
const CONFIRMED_MS = 10_000;

const refused = (code: ErrorCode): Resolution => ({ kind: "refused", code });

/** Where the topology sends a vehicle with this record; null when its cell is unknown or out of service. */
export const serveOf = (record: RouteRecord, topology: Topology): Served | null => {
  const decision = decideRoute(record, topology);
  return decision.kind === "serve" ? decision : null;
};

/** The copy held, while control cannot be asked: also to a cell out of service, which knows where its vehicles went. Null when the cell is unknown. */
export const staleOf = (record: RouteRecord, topology: Topology): Served | null => {
  const { cell: owner, epoch } = record;
  if (topology.cells[owner] === undefined) return null;
  const served = serveOf(record, topology) ?? {
    owner,
    cell: owner,
    standby: null,
    epoch,
    reason: "stale" as const,
    ttlSeconds: OWNER_DOWN_TTL_SECONDS,
  };
  if (served.reason === "failover") return served;
  return { ...served, reason: "stale", ttlSeconds: Math.min(served.ttlSeconds, OWNER_DOWN_TTL_SECONDS) };
};

const answerStale = (lookup: Lookup, held: HeldTopology): Resolution => {
  if (lookup.kind !== "found") return refused(lookup.kind === "missing" ? "placement_unavailable" : "edge_cold");
  const served = staleOf(lookup.record, held.topology);
  return served === null ? refused("edge_cold") : { kind: "served", served, held, origin: lookup.origin };
};

const askPast = async (deps: ResolveDeps, ask: ResolveAsk, held: HeldTopology, lookup: Lookup): Promise<Resolution> => {
  const verdict = await (lookup.kind === "found" ? deps.confirm(ask) : deps.place(ask));
  if (verdict.kind === "away") return answerStale(lookup, held);
  if (verdict.kind === "refused") {
    if (verdict.code === "not_enrolled") deps.store.learn(ask.vehicle, null);
    else if (lookup.kind === "found") return answerStale(lookup, held);
    return refused(verdict.code);
  }
  deps.store.learn(ask.vehicle, verdict.record);
  const isKnown = serveOf(verdict.record, held.topology) !== null;
  const current = isKnown ? held : ((await deps.topology.pastCache()) ?? held);
  const served = serveOf(verdict.record, current.topology);
  if (served === null) return refused("placement_unavailable");
  const reason = served.reason === "failover" ? "failover" : verdict.reason;
  return { kind: "served", served: { ...served, reason }, held: current, origin: "control" };
};

/** Whether the copy is good enough to be answered without control. */
const isTrusted = (lookup: FoundRecord, minEpoch: number | null): boolean => {
  if (lookup.isVanished) return false;
  const isConfirmed = lookup.learntAgoMs !== null && lookup.learntAgoMs < CONFIRMED_MS;
  return minEpoch === null || lookup.record.epoch >= minEpoch || isConfirmed;
};

/**
 * The whole decision for one authentic vehicle: its record from the nearest cache, the topology's word on that cell, and control where the caches cannot know.
 * A vehicle with a record is served whatever is down behind the edge.
 */
export const resolve = async (deps: ResolveDeps, held: HeldTopology, ask: ResolveAsk): Promise<Resolution> => {
  const lookup = await deps.store.find(ask.vehicle);
  if (lookup.kind !== "found") return askPast(deps, ask, held, lookup);
  if (isTrusted(lookup, ask.minEpoch)) {
    const served = serveOf(lookup.record, held.topology);
    if (served !== null) return { kind: "served", served, held, origin: lookup.origin, found: lookup };
    const newer = (await deps.topology.pastCache()) ?? held;
    const again = serveOf(lookup.record, newer.topology);
    if (again !== null) return { kind: "served", served: again, held: newer, origin: lookup.origin };
    return askPast(deps, ask, newer, lookup);
  }
  return askPast(deps, ask, held, lookup);
};
