import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reviewRules } from "#schema/domain/rule-review.ts";
import { matchRule, type PlacementRule, type RuleFacts } from "#schema/domain/rules.ts";
import { cell, vinKey } from "./samples.ts";

const CELLS = [
  { id: cell("cell-a"), tags: ["vip"], zone: "eu" },
  { id: cell("cell-b"), tags: [], zone: "cn" },
];

const rule = (id: string, when: PlacementRule["when"], more: Partial<PlacementRule> = {}): PlacementRule => ({
  id,
  when,
  cells: [],
  tags: [],
  policy: "weighted",
  otherwise: "next",
  ...more,
});
const found = (...rules: readonly PlacementRule[]) =>
  reviewRules(rules, CELLS).map(({ kind, rule: id, by }) => `${kind} ${id}${by === null ? "" : ` by ${by}`}`);
const A = { cells: [cell("cell-a")] };
const B = { cells: [cell("cell-b")] };
const refusing = { ...A, otherwise: "refuse" as const };

describe("reviewRules", () => {
  test.each<[string, readonly PlacementRule[], readonly string[]]>([
    ["nothing about rules that have nothing in common", [rule("a", { tiers: ["vip"] }, A), rule("b", { tiers: ["basic"] }, B)], []],
    [
      "unreachable: behind a rule for everybody that refuses",
      [rule("a", {}, refusing), rule("b", { tiers: ["vip"] }, B)],
      ["unreachable b by a"],
    ],
    ["shadowed: behind a rule for everybody that passes on", [rule("a", {}, A), rule("b", { tiers: ["vip"] }, B)], ["shadowed b by a"]],
    [
      "unreachable: a longer VIN prefix behind a shorter one",
      [rule("a", { vinPrefixes: ["WVW"] }, refusing), rule("b", { vinPrefixes: ["WVWZZZ"] }, B)],
      ["unreachable b by a"],
    ],
    [
      "unreachable: a VIN prefix behind its WMI",
      [rule("a", { wmis: ["WVW"] }, refusing), rule("b", { vinPrefixes: ["WVWZZZ"] }, B)],
      ["unreachable b by a"],
    ],
    [
      "unreachable: years within years",
      [rule("a", { modelYears: { from: 2020, to: 2026 } }, refusing), rule("b", { modelYears: { from: 2021, to: 2026 } }, B)],
      ["unreachable b by a"],
    ],
    [
      "overlaps: years that meet",
      [rule("a", { modelYears: { from: 2020, to: 2024 } }, A), rule("b", { modelYears: { from: 2024, to: 2026 } }, B)],
      ["overlaps b by a"],
    ],
    [
      "overlaps: a shorter VIN prefix behind a longer one",
      [rule("a", { vinPrefixes: ["WVWZZZ"] }, A), rule("b", { vinPrefixes: ["WVW"] }, B)],
      ["overlaps b by a"],
    ],
    [
      "overlaps: two attributes that may come together",
      [rule("a", { tiers: ["vip"] }, A), rule("b", { fleets: ["red"] }, B)],
      ["overlaps b by a"],
    ],
    ["nothing: overlapping rules with one aim", [rule("a", { tiers: ["vip"] }, A), rule("b", { fleets: ["red"] }, A)], []],
    ["a share covers nobody else's", [rule("a", { percent: 50 }, refusing), rule("b", {}, B)], ["overlaps b by a"]],
    ["never: a prefix that is not of the WMI", [rule("a", { vinPrefixes: ["LFV"], wmis: ["WVW"] }, A)], ["never_matches a"]],
    ["never: years that run backwards", [rule("a", { modelYears: { from: 2026, to: 2020 } }, A)], ["never_matches a"]],
    ["never: no percent", [rule("a", { percent: 0 }, A)], ["never_matches a"]],
    ["a rule that never matches hides nobody", [rule("a", { percent: 0 }, refusing), rule("b", {}, B)], ["never_matches a"]],
    ["a cell that there is none of", [rule("a", {}, { cells: [cell("cell-z")] })], ["unknown_cell a"]],
    ["a tag that no cell has", [rule("a", {}, { tags: ["gold"] })], ["no_target a"]],
    ["I12: targets outside the zones", [rule("a", { zones: ["eu"] }, B)], ["zone_mismatch a"]],
    ["I12: vehicles without a zone may go anywhere", [rule("a", { zones: ["eu", null] }, B)], []],
  ])("%s", (_, rules, expected) => {
    expect(found(...rules)).toEqual(expected);
  });

  test("what is called unreachable never is reached, and rules that never meet are never both meant", () => {
    const choice = <T>(...values: readonly T[]) => fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined });
    const anyWhen = fc.record({
      vinPrefixes: choice("W", "WV", "WVW", "L"),
      wmis: choice("WVW", "LFV"),
      modelYears: fc.option(
        fc.tuple(fc.integer({ min: 2020, max: 2023 }), fc.integer({ min: 2020, max: 2023 })).map(([from, to]) => ({ from, to })),
        { nil: undefined },
      ),
      tiers: choice<string | null>("vip", null),
      zones: choice<string | null>("eu", null),
      percent: fc.constantFrom(undefined, 30, 100),
    });
    const anyFacts = fc.record({
      vin: fc.constantFrom("WVWZZZ1JZXW000001", "WAUZZZ1JZXW000001", "LFVZZZ1JZXW000001"),
      serial: fc.nat(20),
      modelYear: fc.constantFrom(null, 2020, 2021, 2022, 2023),
      tier: fc.constantFrom(null, "vip"),
      zone: fc.constantFrom(null, "eu"),
    });
    fc.assert(
      fc.property(anyWhen, anyWhen, fc.array(anyFacts, { minLength: 10 }), (first, second, vehicles) => {
        const [a, b] = [rule("a", first, refusing), rule("b", second, B)];
        const kinds = new Set(
          reviewRules([a, b], CELLS)
            .filter(({ rule: id }) => id === "b")
            .map(({ kind }) => kind),
        );
        const never = (id: string) => reviewRules([a, b], CELLS).some((finding) => finding.rule === id && finding.kind === "never_matches");
        for (const { serial, ...more } of vehicles) {
          const vehicle: RuleFacts = { model: null, region: null, fleet: null, tenant: null, vinKey: vinKey(serial), ...more };
          const [isA, isB] = [matchRule(a, vehicle), matchRule(b, vehicle)];
          if (never("a")) expect(isA).toBe(false);
          if (never("b")) expect(isB).toBe(false);
          if (isB && kinds.has("unreachable")) expect(isA).toBe(true);
          if (isA && isB) expect(kinds.has("unreachable") || kinds.has("overlaps")).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
