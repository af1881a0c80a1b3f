import { describe, expect, test } from "vitest";
import type { Endpoints } from "#schema/domain/cell.ts";
import { cellsLost, guardTopology, isAllowedHost, offendingEndpoint, type Topology } from "#schema/domain/topology.ts";
import { cell, topology } from "./samples.ts";

const TEN = Array.from({ length: 10 }, (_, index) => `cell-${String.fromCharCode(97 + index)}`);
const known = topology(TEN);
const next = (changes: Partial<Topology>): Topology => ({ ...known, version: 8, ...changes });
const without = (count: number) => topology(TEN.slice(count)).cells;
const failover = (id: string) => ({ cell: cell(id), standby: cell("cell-j"), term: 1 });

describe("I13: the topology guard", () => {
  test.each<readonly [string, Topology | null, Topology, string]>([
    ["the first one", null, known, "accept"],
    ["a newer one", known, next({}), "accept"],
    ["the same version again", known, known, "accept"],
    ["an older one", known, next({ version: 6 }), "older"],
    ["an older one, forced: a rollback is published under a new version", known, next({ version: 6, force: true }), "older"],
    ["20 % removed", known, next({ cells: without(2) }), "accept"],
    ["more than 20 % removed", known, next({ cells: without(3) }), "too_many_cells_lost"],
    ["more than 20 % removed, forced", known, next({ cells: without(3), force: true }), "accept"],
    ["a forced version that this edge missed", known, next({ version: 9, cells: without(3), forcedVersion: 8 }), "accept"],
    ["a forced version that this edge has seen", known, next({ version: 9, cells: without(3), forcedVersion: 7 }), "too_many_cells_lost"],
    [
      "more than 20 % down, drained or failed over, each in its own way",
      known,
      next({
        cells: topology(TEN, { "cell-a": { health: "down" }, "cell-b": { state: "drained" } }).cells,
        failovers: [failover("cell-c")],
      }),
      "too_many_cells_lost",
    ],
    [
      "half of them suspect, isolated or draining: they still serve",
      known,
      next({
        cells: topology(TEN, {
          "cell-a": { health: "suspect" },
          "cell-b": { health: "isolated" },
          "cell-c": { state: "draining" },
          "cell-d": { state: "draining" },
          "cell-e": { health: "suspect" },
        }).cells,
      }),
      "accept",
    ],
    ["three gone that did not serve before", next({ cells: downed(3) }), next({ version: 9, cells: without(3) }), "accept"],
    ["all gone", known, next({ cells: {} }), "too_many_cells_lost"],
    ["one of two gone", topology(["cell-a", "cell-b"]), topology(["cell-a"]), "too_many_cells_lost"],
  ])("%s", (_, before, after, verdict) => {
    const guarded = guardTopology(before, after);
    expect(guarded.kind === "refuse" ? guarded.reason : guarded.kind).toBe(verdict);
  });

  test("cellsLost names the cells that served before and do not now", () => {
    const after = topology(TEN.slice(1), { "cell-b": { health: "down" } });
    expect(cellsLost(known, { ...after, failovers: [failover("cell-c")] })).toEqual(["cell-a", "cell-b", "cell-c"]);
  });
});

function downed(count: number) {
  return topology(TEN, Object.fromEntries(TEN.slice(0, count).map((id) => [id, { health: "down" as const }]))).cells;
}

describe("isAllowedHost", () => {
  test.each<readonly [string, readonly string[], boolean]>([
    ["example.com", ["example.com"], true],
    ["cell.example.com", ["example.com"], true],
    ["a.b.example.com", ["example.com"], true],
    ["CELL.Example.COM", ["example.com"], true],
    ["cell.example.com", ["Example.COM"], true],
    ["cell.example.org", ["example.com", "example.org"], true],
    ["evil-example.com", ["example.com"], false],
    ["example.com.evil.org", ["example.com"], false],
    ["com", ["example.com"], false],
    ["example.com.", ["example.com"], false],
    ["cell.example.com.", ["example.com"], false],
    [".example.com", ["example.com"], false],
    ["a..example.com", ["example.com"], false],
    ["evil.org%2f.example.com", ["example.com"], false],
    ["evil.org\u0000.example.com", ["example.com"], false],
    ["", ["example.com"], false],
    ["", [""], false],
    ["evil.org", [""], false],
    ["evil.org.", [""], false],
    ["anything.org", [], false],
    ["127.0.0.1", ["127.0.0.1"], true],
    ["127.0.0.1", ["localhost"], false],
    ["[::1]", ["[::1]"], true],
    ["[::1]", ["::1"], false],
  ])("%j under %j: %s", (host, suffixes, isAllowed) => {
    expect(isAllowedHost(host, suffixes)).toBe(isAllowed);
  });
});

describe("offendingEndpoint", () => {
  const good: Endpoints = { mqtt: "mqtts://c.example.com:8883", mqttWs: "wss://c.example.com/mqtt", https: "https://c.example.com" };

  test.each<readonly [string, Partial<Endpoints>]>([
    ["every endpoint inside", {}],
    ["no WebSocket listener", { mqttWs: null }],
    ["the lab's plain schemes", { mqtt: "mqtt://c.example.com:1883", mqttWs: "ws://c.example.com", https: "http://c.example.com:8080" }],
  ])("accepts %s", (_, more) => {
    expect(offendingEndpoint({ ...good, ...more }, ["example.com"])).toBeNull();
  });

  test.each<readonly [keyof Endpoints, string]>([
    ["mqtt", "mqtts://c.evil-example.com:8883"],
    ["mqtt", "mqtts://c.example.com.evil.org:8883"],
    ["mqtt", "mqtts:///c.example.com"],
    ["mqtt", "https://c.example.com"],
    ["mqttWs", "mqtts://c.example.com"],
    ["https", "mqtts://c.example.com"],
    ["https", "javascript:alert(1)//c.example.com"],
    ["https", "https://user:password@c.example.com"],
    ["https", "https://c.example.com@evil.org"],
    ["https", "https://evil.org\\@c.example.com"],
    ["https", "https://evil.org/?https://c.example.com"],
    ["https", "https://c.example.com?x=1"],
    ["https", "https://c.example.com#x"],
    ["https", "https://c.exa\nmple.com"],
    ["https", " https://c.example.com"],
    ["https", "https://ｃ.example.com"],
    ["https", "c.example.com"],
    ["https", ""],
  ])("names %s %j", (name, endpoint) => {
    expect(offendingEndpoint({ ...good, [name]: endpoint }, ["example.com"])).toBe(endpoint);
  });
});
