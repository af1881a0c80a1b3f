import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CELL_HEALTHS, CELL_STATES } from "#schema/domain/cell.ts";
import { decideRoute, encodeRouteRecord, parseRouteRecord, type RouteDecision, routeKeyOf } from "#schema/domain/route.ts";
import type { Topology, TopologyCell } from "#schema/domain/topology.ts";
import { cell, topology, vinKey } from "./samples.ts";

const A = cell("cell-a");
const B = cell("cell-b");
const record = { cell: A, epoch: 3 };

/** Cell A with standby B, each as told, perhaps failed over. */
const world = (a: Partial<TopologyCell>, b: Partial<TopologyCell> = {}, isFailedOver = false): Topology => ({
  ...topology(["cell-a", "cell-b"], { "cell-a": { standby: B, ...a }, "cell-b": b }),
  failovers: isFailedOver ? [{ cell: A, standby: B, term: 1 }] : [],
});

/** A decision in a few words: cell, standby, reason and ttl. */
const say = (decision: RouteDecision): string =>
  decision.kind === "serve"
    ? `${decision.cell}${decision.standby === null ? "" : ` or ${decision.standby}`}, ${decision.reason}, ${decision.ttlSeconds} s`
    : decision.kind;

describe("decideRoute", () => {
  test.each<readonly [string, Topology, string]>([
    ["owner up", world({}), "cell-a or cell-b, assigned, 300 s"],
    ["owner up, no standby", world({ standby: null }), "cell-a, assigned, 300 s"],
    ["owner up, standby down", world({}, { health: "down" }), "cell-a, assigned, 300 s"],
    ["owner up, standby drained", world({}, { state: "drained" }), "cell-a, assigned, 300 s"],
    ["owner up, standby unknown", world({ standby: cell("cell-z") }), "cell-a, assigned, 300 s"],
    ["owner suspect", world({ health: "suspect" }), "cell-a or cell-b, assigned, 300 s"],
    ["owner isolated: traffic stays", world({ health: "isolated" }), "cell-a or cell-b, assigned, 300 s"],
    ["owner draining", world({ state: "draining" }), "cell-a or cell-b, assigned, 300 s"],
    ["owner down, not failed over", world({ health: "down" }), "cell-a or cell-b, assigned, 30 s"],
    ["owner down, no standby", world({ health: "down", standby: null }), "cell-a, assigned, 30 s"],
    ["owner failed over", world({ health: "down" }, {}, true), "cell-b, failover, 60 s"],
    ["owner failed over while up again", world({}, {}, true), "cell-b, failover, 60 s"],
    ["owner failed over, standby down", world({ health: "down" }, { health: "down" }, true), "cell-a, assigned, 30 s"],
    ["owner failed over, standby retired", world({}, { state: "retired" }, true), "cell-a, assigned, 30 s"],
    ["owner drained", world({ state: "drained" }), "look_past_cache"],
    ["owner retired", world({ state: "retired" }), "look_past_cache"],
    ["owner joining", world({ state: "joining" }), "look_past_cache"],
    ["owner unknown", topology(["cell-b"]), "look_past_cache"],
    ["no cell known at all", topology([]), "look_past_cache"],
  ])("%s", (_, known, answer) => {
    expect(say(decideRoute(record, known))).toBe(answer);
  });

  test("no record: place", () => {
    expect(decideRoute(null, world({}))).toEqual({ kind: "place" });
  });

  const anyCell = fc.record({
    state: fc.constantFrom(...CELL_STATES),
    health: fc.constantFrom(...CELL_HEALTHS),
    standby: fc.constantFrom(null, A, B, cell("cell-z")),
  });

  test("I1: in every topology the ticket names the record's owner and epoch; only a failover leads elsewhere, and never to an unfit cell", () => {
    fc.assert(
      fc.property(anyCell, anyCell, fc.boolean(), (a, b, isFailedOver) => {
        const decision = decideRoute(record, world(a, b, isFailedOver));
        if (decision.kind !== "serve") return;
        expect([decision.owner, decision.epoch]).toEqual([A, 3]);
        if (decision.cell !== A)
          expect([isFailedOver, decision.reason, decision.cell, b.health === "down"]).toEqual([true, "failover", B, false]);
      }),
      { numRuns: 2_000 },
    );
  });

  test("I4: a record of a cell that takes traffic is always served, whatever its health", () => {
    fc.assert(
      fc.property(anyCell, anyCell, fc.boolean(), (a, b, isFailedOver) => {
        const takesTraffic = a.state === "active" || a.state === "draining";
        expect(decideRoute(record, world(a, b, isFailedOver)).kind).toBe(takesTraffic ? "serve" : "look_past_cache");
      }),
    );
  });
});

describe("route records", () => {
  test("round-trip", () => {
    const anyEpoch = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.constantFrom(A, B), anyEpoch, (owner, epoch) => {
        const written = encodeRouteRecord({ cell: owner, epoch });
        expect(parseRouteRecord(JSON.parse(written))).toEqual({ cell: owner, epoch });
      }),
    );
  });

  test("stand in KV as design §4.4 fixes them", () => {
    expect(encodeRouteRecord(record)).toBe('{"v":1,"c":"cell-a","e":3}');
    expect(routeKeyOf("p1", vinKey(1))).toBe(`r/p1/${vinKey(1)}`);
  });

  test.each([
    ["an unknown version", { v: 2, c: "cell-a", e: 3 }],
    ["no version", { c: "cell-a", e: 3 }],
    ["a version as text", { v: "1", c: "cell-a", e: 3 }],
    ["no cell", { v: 1, e: 3 }],
    ["a cell that is none", { v: 1, c: "CELL A", e: 3 }],
    ["no epoch", { v: 1, c: "cell-a" }],
    ["epoch 0", { v: 1, c: "cell-a", e: 0 }],
    ["a broken epoch", { v: 1, c: "cell-a", e: 1.5 }],
    ["an epoch as text", { v: 1, c: "cell-a", e: "3" }],
    ["an epoch beyond 2^53", { v: 1, c: "cell-a", e: 2 ** 53 }],
    ["null", null],
    ["text", "cell-a"],
    ["an array", ["cell-a", 3]],
  ])("%s is a miss", (_, value) => {
    expect(parseRouteRecord(value)).toBeNull();
  });

  test("any JSON at all is a record or a miss, never an exception", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseRouteRecord(value)?.epoch ?? 1).toBeGreaterThan(0);
      }),
    );
  });
});
