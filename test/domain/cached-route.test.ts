import { describe, expect, test } from "vitest";
import { type CachedRoute, judgeCachedRoute } from "#schema/domain/cached-route.ts";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import type { Topology, TopologyCell } from "#schema/domain/topology.ts";

const cellId = (text: string): CellId => {
  const id = parseCellId(text);
  if (id === null) throw new Error(text);
  return id;
};
const [A, B, C] = [cellId("cell-a"), cellId("cell-b"), cellId("cell-c")];
const endpointsOf = (id: string) => ({ mqtt: `mqtts://${id}.example:8883`, mqttWs: null, https: `https://${id}.example` });
const cellOf = (id: string, change: Partial<TopologyCell> = {}): TopologyCell => ({
  ...{ state: "active", health: "healthy", region: "r", zone: null, endpoints: endpointsOf(id), standby: null, keys: [] },
  ...change,
});
const topologyOf = (change: Partial<Topology> = {}): Topology => ({
  ...{ v: 1, version: 1, force: false, failovers: [], issuers: [], popKeys: {}, allowedHosts: [], revoked: [], ruleSetVersion: null },
  cells: { "cell-a": cellOf("cell-a", { standby: B }), "cell-b": cellOf("cell-b"), "cell-c": cellOf("cell-c", { state: "draining" }) },
  ...change,
});
const failedOver = topologyOf({ failovers: [{ cell: A, standby: B, term: 1 }] });
const drained = topologyOf({ cells: { "cell-a": cellOf("cell-a", { state: "drained" }) } });

const cached = (cell: CellId, epoch: number, endpoints: CachedRoute["endpoints"] = {}): CachedRoute => ({ cell, epoch, endpoints });
const resolve = (minEpoch: number) => ({ action: "resolve", minEpoch });
const connect = (cell: CellId) => ({ action: "connect", cell, endpoints: endpointsOf(cell) });
const at = (cell: CellId, epoch: number) => ({ cell, epoch });

describe("judgeCachedRoute", () => {
  test.each([
    ["the same again", cached(A, 4, endpointsOf(A)), at(A, 4), topologyOf(), "valid", []],
    ["endpoints that were not sent are not compared", cached(A, 4), at(A, 4), topologyOf(), "valid", []],
    ["another owner", cached(A, 4), at(B, 5), topologyOf(), "moved", [resolve(5), connect(B)]],
    ["the same cell at a newer epoch", cached(A, 3), at(A, 4), topologyOf(), "stale", [resolve(4)]],
    ["the same cell at an older epoch", cached(A, 9), at(A, 4), topologyOf(), "stale", [resolve(4)]],
    ["another endpoint", cached(A, 4, { https: "https://old.example" }), at(A, 4), topologyOf(), "stale", [resolve(4), connect(A)]],
    ["a draining cell", cached(C, 1), at(C, 1), topologyOf(), "draining", [{ action: "wait_for_move" }]],
    ["the owner failed over", cached(A, 4), at(A, 4), failedOver, "failed-over", [resolve(4), connect(B)]],
    ["already at the standby", cached(B, 4), at(A, 4), failedOver, "failed-over", []],
    ["at the standby after the return", cached(B, 4), at(A, 4), topologyOf(), "moved", [resolve(4), connect(A)]],
    ["no record", cached(A, 4), null, topologyOf(), "unknown", [resolve(4)]],
    ["a record that names a cell out of service", cached(A, 4), at(A, 4), drained, "stale", [resolve(5)]],
  ] as const)("%s", (_, route, record, topology, state, steps) => {
    expect(judgeCachedRoute(route, record, topology)).toEqual({ state, steps });
  });
});
