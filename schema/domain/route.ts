import { type CellId, parseCellId, takesTraffic } from "./cell.ts";
import type { Topology } from "./topology.ts";
import type { VinKey } from "./vin-key.ts";

/** The copy of an assignment that the edge reads. */
export type RouteRecord = { readonly cell: CellId; readonly epoch: number };

export const TOPOLOGY_KEY = "topology";
export const TOPOLOGY_CANARY_KEY = "topology-canary";

/** The KV key of a route record. */
export const routeKeyOf = (pepperId: string, vinKey: VinKey): string => `r/${pepperId}/${vinKey}`;

export const encodeRouteRecord = (record: RouteRecord): string => JSON.stringify({ v: 1, c: record.cell, e: record.epoch });

/** Reads a KV value; null for anything that is not a record of version 1, which counts as a miss. */
export const parseRouteRecord = (value: unknown): RouteRecord | null => {
  if (typeof value !== "object" || value === null) return null;
  const { v, c, e } = value as Record<string, unknown>;
  const cell = parseCellId(c);
  if (v !== 1 || cell === null || typeof e !== "number" || !Number.isSafeInteger(e) || e < 1) return null;
  return { cell, epoch: e };
};

export const ROUTE_REASONS = ["assigned", "placed", "failover", "stale"] as const;
export type RouteReason = (typeof ROUTE_REASONS)[number];

export type RouteDecision =
  | {
      readonly kind: "serve";
      /** The owner: what the ticket says. */
      readonly owner: CellId;
      readonly epoch: number;
      /** The cell to connect to: the owner, or its standby during a failover. */
      readonly cell: CellId;
      readonly standby: CellId | null;
      readonly reason: "assigned" | "failover";
      readonly ttlSeconds: number;
    }
  | { readonly kind: "look_past_cache" }
  | { readonly kind: "place" };

export const ROUTE_TTL_SECONDS = 300;
export const FAILOVER_TTL_SECONDS = 60;
export const OWNER_DOWN_TTL_SECONDS = 30;

const isFit = (topology: Topology, id: CellId | null): id is CellId => {
  const cell = id === null ? undefined : topology.cells[id];
  return cell !== undefined && takesTraffic(cell.state) && cell.health !== "down";
};

/**
 * What to answer to a vehicle with this record: owner up -> the owner; failed over to a fit standby -> the standby; down without one -> the owner for 30 s;
 * a record naming an unknown, drained, retired or joining cell -> look past the cache; no record -> place.
 */
export const decideRoute = (record: RouteRecord | null, topology: Topology): RouteDecision => {
  if (record === null) return { kind: "place" };
  const owner = topology.cells[record.cell];
  if (owner === undefined || !takesTraffic(owner.state)) return { kind: "look_past_cache" };
  const serve = { kind: "serve", owner: record.cell, epoch: record.epoch } as const;
  const failover = topology.failovers.find((candidate) => candidate.cell === record.cell);
  if (failover !== undefined && isFit(topology, failover.standby)) {
    return { ...serve, cell: failover.standby, standby: null, reason: "failover", ttlSeconds: FAILOVER_TTL_SECONDS };
  }
  const standby = isFit(topology, owner.standby) ? owner.standby : null;
  const isDown = owner.health === "down" || failover !== undefined;
  return { ...serve, cell: record.cell, standby, reason: "assigned", ttlSeconds: isDown ? OWNER_DOWN_TTL_SECONDS : ROUTE_TTL_SECONDS };
};
