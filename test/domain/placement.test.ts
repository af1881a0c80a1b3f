import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CELL_HEALTHS, CELL_STATES, type CellId } from "#schema/domain/cell.ts";
import { choosePlacement, type PlacementCell } from "#schema/domain/placement.ts";
import { cell, vinKey } from "./samples.ts";

const NOW = 1_000_000;

const place = (id: string, more: Partial<PlacementCell> = {}): PlacementCell => ({
  id: cell(id),
  zone: null,
  state: "active",
  health: "healthy",
  weight: 1,
  room: 1,
  placeableAt: 0,
  ...more,
});

const chosen = (cells: readonly PlacementCell[], zone: string | null = null, serial = 1): string => {
  const placement = choosePlacement({ vinKey: vinKey(serial), zone }, cells, NOW);
  return placement.kind === "placed" ? placement.cell : placement.reason;
};

describe("choosePlacement", () => {
  test.each<readonly [string, readonly PlacementCell[], string | null, string]>([
    ["the only open cell", [place("cell-a")], null, "cell-a"],
    ["no cell at all", [], null, "no_cell_in_zone"],
    ["I12: only the zone's own cell", [place("cell-a", { zone: "cn", weight: 1000 }), place("cell-b", { zone: "eu" })], "eu", "cell-b"],
    ["I12: no cell in the zone", [place("cell-a", { zone: "cn" }), place("cell-b")], "eu", "no_cell_in_zone"],
    ["no zone: any cell", [place("cell-a", { zone: "cn" })], null, "cell-a"],
    ["full", [place("cell-a", { room: 0 })], null, "no_capacity"],
    ["over its limit", [place("cell-a", { room: -3 })], null, "no_capacity"],
    ["full in the zone, room elsewhere", [place("cell-a", { zone: "eu", room: 0 }), place("cell-b", { zone: "cn" })], "eu", "no_capacity"],
    ["weight 0", [place("cell-a", { weight: 0 })], null, "no_capacity"],
    ["endpoints published too recently", [place("cell-a", { placeableAt: NOW + 1 })], null, "no_capacity"],
    ["endpoints published just long enough", [place("cell-a", { placeableAt: NOW })], null, "cell-a"],
    ...CELL_STATES.map(
      (state) => [`state ${state}`, [place("cell-a", { state })], null, state === "active" ? "cell-a" : "no_capacity"] as const,
    ),
    ...CELL_HEALTHS.map(
      (health) => [`health ${health}`, [place("cell-a", { health })], null, health === "healthy" ? "cell-a" : "no_capacity"] as const,
    ),
  ])("%s", (_, cells, zone, answer) => {
    expect(chosen(cells, zone)).toBe(answer);
  });

  const KEYS = 10_000;
  const shares = (cells: readonly PlacementCell[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (let serial = 0; serial < KEYS; serial++) {
      const id = chosen(cells, null, serial);
      counts[id] = (counts[id] ?? 0) + 1 / KEYS;
    }
    return counts;
  };

  test("spreads vehicles by weight, within two points of a hundred", () => {
    const weights = { "cell-a": 1, "cell-b": 2, "cell-c": 1, "cell-d": 4 };
    const counts = shares(Object.entries(weights).map(([id, weight]) => place(id, { weight })));
    for (const [id, weight] of Object.entries(weights)) expect(Math.abs((counts[id] ?? 0) - weight / 8), id).toBeLessThan(0.02);
  });

  test("a cell that goes takes only its own vehicles with it; the others stay", () => {
    const cells = ["cell-a", "cell-b", "cell-c", "cell-d"].map((id) => place(id));
    const fewer = cells.slice(0, 3);
    for (let serial = 0; serial < 2_000; serial++) {
      const before = chosen(cells, null, serial);
      if (before !== "cell-d") expect(chosen(fewer, null, serial)).toBe(before);
    }
  });

  test("a greater weight only draws vehicles to that cell", () => {
    const light = [place("cell-a"), place("cell-b"), place("cell-c")];
    const heavy = [place("cell-a", { weight: 3 }), place("cell-b"), place("cell-c")];
    for (let serial = 0; serial < 2_000; serial++) {
      const after = chosen(heavy, null, serial);
      if (after !== "cell-a") expect(chosen(light, null, serial)).toBe(after);
    }
  });

  const anyZone = fc.constantFrom("eu", "cn", null);
  const anyCells: fc.Arbitrary<PlacementCell[]> = fc
    .array(
      fc.record({
        zone: anyZone,
        state: fc.constantFrom(...CELL_STATES),
        health: fc.constantFrom(...CELL_HEALTHS),
        weight: fc.constantFrom(0, 0.5, 1, 1000),
        room: fc.integer({ min: -1, max: 3 }),
        placeableAt: fc.constantFrom(0, NOW, NOW + 1),
      }),
      { maxLength: 6 },
    )
    .map((members) => members.map((member, index) => place(`cell-${index}`, member)));

  const isOpenTo = (zone: string | null, candidate: PlacementCell): boolean =>
    (zone === null || candidate.zone === zone) &&
    [candidate.state, candidate.health].join() === "active,healthy" &&
    Math.min(candidate.weight, candidate.room) > 0 &&
    candidate.placeableAt <= NOW;

  test("I12: never outside zone, state, health, weight, room and time; and somewhere whenever one such cell exists; in any order", () => {
    fc.assert(
      fc.property(anyCells, anyZone, fc.nat(), (cells, zone, serial) => {
        const vehicle = { vinKey: vinKey(serial), zone };
        const placement = choosePlacement(vehicle, cells, NOW);
        const open: readonly CellId[] = cells.filter((candidate) => isOpenTo(zone, candidate)).map(({ id }) => id);
        if (placement.kind === "placed") expect(open).toContain(placement.cell);
        else expect(open).toEqual([]);
        expect(choosePlacement(vehicle, cells.toReversed(), NOW)).toEqual(placement);
      }),
      { numRuns: 2_000 },
    );
  });
});
