import { LRUCache } from "lru-cache";
import { TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Clock } from "../../clock.ts";
import type { RouteStore } from "../port.ts";
import type { Replica } from "./replica.ts";

/** The route store of a self-hosted POP: every record in memory, nothing to wait for. */
export const createReplicaStore = (replica: Replica, clock: Clock, maxLearnt: number): RouteStore => {
  // When control itself spoke about a vehicle last; beyond the bound the oldest are forgotten, which costs one more question.
  const learntAt = new LRUCache<Vin, number>({ max: maxLearnt });
  return {
    find(vehicle) {
      const record = replica.table.get(vehicle.vinKey);
      if (record === null) return replica.isComplete() ? { kind: "missing" } : { kind: "unreachable" };
      const learntAtMs = learntAt.get(vehicle.vin);
      return {
        kind: "found",
        record,
        origin: "replica",
        ageMs: replica.stalenessMs() ?? 0,
        learntAgoMs: learntAtMs === undefined ? null : clock.monotonic() - learntAtMs,
        isVanished: false,
        lease: replica.table.leaseOf(vehicle.vinKey),
      };
    },
    learn(vehicle, record) {
      learntAt.set(vehicle.vin, clock.monotonic());
      if (record === null) replica.table.delete(vehicle.vinKey);
      else replica.table.put(vehicle.vinKey, record);
    },
    async readDocument(key) {
      const text = key === TOPOLOGY_KEY ? replica.topologyText() : null;
      return text === null ? { kind: replica.isComplete() ? "missing" : "unreachable" } : { kind: "found", text };
    },
  };
};
