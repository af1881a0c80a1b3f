import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { advanceRuleSet, NO_RULES, RULE_SET_EVENTS, RULE_SET_STATES, ruleSetFor } from "#schema/domain/rule-set.ts";
import {
  chooseByRules,
  isAmong,
  matchRule,
  type PlacementRule,
  RULE_ATTRIBUTES,
  RULE_POLICIES,
  type RuleCell,
  type RuleFacts,
} from "#schema/domain/rules.ts";
import { cell, vinKey } from "./samples.ts";

const NOW = 1_000;

const rule = (id: string, more: Partial<PlacementRule> = {}): PlacementRule => ({
  id,
  when: {},
  cells: [],
  tags: [],
  policy: "weighted",
  otherwise: "next",
  ...more,
});
const facts = (more: Partial<RuleFacts> = {}): RuleFacts => ({
  vin: "WVWZZZ1JZXW000001",
  vinKey: vinKey(1),
  modelYear: 2025,
  model: null,
  region: null,
  tier: null,
  fleet: null,
  tenant: null,
  zone: null,
  ...more,
});
const open = (id: string, more: Partial<RuleCell> = {}): RuleCell => ({
  id: cell(id),
  zone: null,
  region: "eu-west",
  tags: [],
  state: "active",
  health: "healthy",
  weight: 1,
  room: 10,
  hardLimit: 10,
  placeableAt: 0,
  ...more,
});
const outcome = (rules: readonly PlacementRule[], cells: readonly RuleCell[], more: Partial<RuleFacts> = {}): string => {
  const choice = chooseByRules(rules, facts(more), cells, NOW);
  return `${choice.rule ?? "-"}: ${choice.kind === "placed" ? choice.cell : choice.reason}`;
};

describe("matchRule", () => {
  test.each<[string, PlacementRule["when"], Partial<RuleFacts>, boolean]>([
    ["no condition", {}, {}, true],
    ["a VIN prefix", { vinPrefixes: ["LFV", "WVWZ"] }, {}, true],
    ["another VIN prefix", { vinPrefixes: ["WVWY"] }, {}, false],
    ["a WMI", { wmis: ["WVW"] }, {}, true],
    ["a country's WMIs", { wmis: ["W"] }, {}, true],
    ["another WMI", { wmis: ["WVG"] }, {}, false],
    ["the first model year", { modelYears: { from: 2025, to: 2030 } }, {}, true],
    ["the last model year", { modelYears: { from: 2020, to: 2025 } }, {}, true],
    ["a model year outside", { modelYears: { from: 2026, to: 2030 } }, {}, false],
    ["an unknown model year", { modelYears: { from: 1980, to: 2100 } }, { modelYear: null }, false],
    ["a model", { models: ["id4", "id3"] }, { model: "id3" }, true],
    ["no model where one is asked for", { models: ["id3"] }, {}, false],
    ["no tier where none is asked for", { tiers: [null] }, {}, true],
    ["a tier where none is asked for", { tiers: [null] }, { tier: "vip" }, false],
    ["two conditions of which one holds", { tiers: ["vip"], zones: ["cn"] }, { tier: "vip", zone: "eu" }, false],
    ["two conditions that hold", { tiers: ["vip"], zones: ["eu"] }, { tier: "vip", zone: "eu" }, true],
    ["no percent", { percent: 0 }, {}, false],
    ["every percent", { percent: 100 }, {}, true],
  ])("%s", (_, when, more, expected) => {
    expect(matchRule(rule("r", { when }), facts(more))).toBe(expected);
  });

  test.each(Object.entries(RULE_ATTRIBUTES))("the condition %s looks at the vehicle's %s", (name, fact) => {
    const asking = rule("r", { when: { [name]: ["x"] } });
    expect([matchRule(asking, facts({ [fact]: "x" })), matchRule(asking, facts({ [fact]: "y" }))]).toEqual([true, false]);
  });

  test("a share is about its size, always the same vehicles, and a larger one only adds", () => {
    const keys = Array.from({ length: 5_000 }, (_, serial) => vinKey(serial));
    const share = (percent: number) => keys.filter((key) => isAmong(percent, "r", key));
    expect(share(20).length / keys.length).toBeCloseTo(0.2, 1);
    expect(share(35)).toEqual(expect.arrayContaining(share(20)));
    expect(share(20)).toEqual(share(20));
  });
});

describe("chooseByRules", () => {
  const vip = open("cell-vip", { tags: ["vip"] });
  const plain = open("cell-plain");

  test.each<[string, readonly PlacementRule[], readonly RuleCell[], Partial<RuleFacts>, string]>([
    ["no rules: any cell, by no rule", [], [plain], {}, "-: cell-plain"],
    [
      "the first rule that fits decides",
      [rule("a", { cells: [cell("cell-vip")] }), rule("b", { cells: [cell("cell-plain")] })],
      [vip, plain],
      {},
      "a: cell-vip",
    ],
    [
      "a rule that does not fit is passed over",
      [rule("a", { when: { tiers: ["vip"] }, tags: ["vip"] }), rule("b", { cells: [cell("cell-plain")] })],
      [vip, plain],
      {},
      "b: cell-plain",
    ],
    ["a target by tag", [rule("a", { tags: ["vip"] })], [plain, vip], {}, "a: cell-vip"],
    [
      "a full target: the next rule",
      [rule("a", { tags: ["vip"] }), rule("b", { cells: [cell("cell-plain")] })],
      [{ ...vip, room: 0 }, plain],
      {},
      "b: cell-plain",
    ],
    ["a full target and no other rule: any cell", [rule("a", { tags: ["vip"] })], [{ ...vip, room: 0 }, plain], {}, "-: cell-plain"],
    [
      "a full target and a rule that refuses",
      [rule("a", { tags: ["vip"], otherwise: "refuse" })],
      [{ ...vip, room: 0 }, plain],
      {},
      "a: no_capacity",
    ],
    [
      "I12: a target outside the zone is none",
      [rule("a", { tags: ["vip"] })],
      [
        { ...vip, zone: "cn" },
        { ...plain, zone: "eu" },
      ],
      { zone: "eu" },
      "-: cell-plain",
    ],
    [
      "I12: no target in the zone and a rule that refuses",
      [rule("a", { tags: ["vip"], otherwise: "refuse" })],
      [{ ...vip, zone: "cn" }],
      { zone: "eu" },
      "a: no_cell_in_zone",
    ],
    ["a closed target is none", [rule("a")], [{ ...vip, state: "draining" }, plain], {}, "a: cell-plain"],
    [
      "static: in the order of the rule",
      [rule("a", { policy: "static", cells: [cell("cell-vip"), cell("cell-plain")] })],
      [plain, vip],
      {},
      "a: cell-vip",
    ],
    [
      "static: the next one when the first is full",
      [rule("a", { policy: "static", cells: [cell("cell-vip"), cell("cell-plain")] })],
      [plain, { ...vip, room: 0 }],
      {},
      "a: cell-plain",
    ],
    [
      "least loaded: by share, not by number",
      [rule("a", { policy: "least_loaded" })],
      [open("cell-big", { room: 50, hardLimit: 100 }), open("cell-small", { room: 9 })],
      {},
      "a: cell-small",
    ],
    [
      "least loaded: who is there stays there",
      [rule("a", { policy: "least_loaded" })],
      [open("cell-big", { room: 1 }), open("cell-small")],
      { current: cell("cell-big") },
      "a: cell-big",
    ],
    [
      "nearest: the same region",
      [rule("a", { policy: "nearest" })],
      [open("cell-far", { region: "eu-north" }), open("cell-near")],
      { region: "eu-west" },
      "a: cell-near",
    ],
    [
      "nearest: the longest common part",
      [rule("a", { policy: "nearest" })],
      [open("cell-far", { region: "us-west-2" }), open("cell-near", { region: "eu-north-1" })],
      { region: "eu-west-2" },
      "a: cell-near",
    ],
  ])("%s", (_, rules, cells, more, expected) => {
    expect(outcome(rules, cells, more)).toBe(expected);
  });

  test.each(RULE_POLICIES)("%s: equals share the vehicles between them", (policy) => {
    const names = [open("cell-a"), open("cell-b")];
    const target = policy === "static" ? rule("r", { policy, tags: ["t"] }) : rule("r", { policy });
    const cells = names.map((each) => ({ ...each, tags: ["t"] }));
    const count = Array.from({ length: 400 }, (_, serial) => outcome([target], cells, { vinKey: vinKey(serial) })).filter(
      (text) => text === "r: cell-a",
    ).length;
    expect(count).toBeGreaterThan(140);
    expect(count).toBeLessThan(260);
  });

  test("I12: whatever the rules say, nobody is placed outside the zone, in a closed cell or in a full one", () => {
    const anyRule = fc.record({
      id: fc.constantFrom("r1", "r2"),
      when: fc.record({ tiers: fc.constantFrom(undefined, ["vip"], [null]), percent: fc.constantFrom(undefined, 50) }),
      cells: fc.subarray(["cell-a", "cell-b", "cell-x"].map(cell)),
      tags: fc.subarray(["t"]),
      policy: fc.constantFrom(...RULE_POLICIES),
      otherwise: fc.constantFrom("next" as const, "refuse" as const),
    });
    const anyCell = fc.record({
      id: fc.constantFrom("cell-a", "cell-b", "cell-c"),
      zone: fc.constantFrom(null, "eu", "cn"),
      room: fc.integer({ min: -1, max: 2 }),
      state: fc.constantFrom("active" as const, "draining" as const),
      tags: fc.subarray(["t"]),
    });
    const anyCells = fc.uniqueArray(anyCell, { selector: ({ id }) => id });
    fc.assert(
      fc.property(fc.array(anyRule), anyCells, fc.constantFrom(null, "eu"), fc.nat(50), (rules, shapes, zone, serial) => {
        const cells = shapes.map(({ id, ...more }) => open(id, more));
        const vehicle = facts({ zone, vinKey: vinKey(serial) });
        const choice = chooseByRules(rules, vehicle, cells, NOW);
        expect(chooseByRules(rules, vehicle, cells.toReversed(), NOW)).toEqual(choice);
        if (choice.kind === "refused") return;
        const chosen = cells.find(({ id }) => id === choice.cell);
        expect(chosen).toMatchObject({ state: "active" });
        expect(chosen?.room).toBeGreaterThan(0);
        if (zone !== null) expect(chosen?.zone).toBe(zone);
      }),
    );
  });
});

describe("rule sets", () => {
  test("draft -> canary -> active -> retired; a canary may be withdrawn, a retired set come back, and nothing else", () => {
    const allowed = RULE_SET_STATES.flatMap((state) =>
      RULE_SET_EVENTS.flatMap((event) => {
        const next = advanceRuleSet(state, event);
        return next === null ? [] : [`${state} ${event} ${next}`];
      }),
    );
    expect(allowed).toEqual([
      "draft canary canary",
      "draft activate active",
      "canary canary canary",
      "canary activate active",
      "canary withdraw draft",
      "active replace retired",
      "retired activate active",
    ]);
  });

  test("a canary gets its share of the vehicles, the active set the rest, and without one nobody", () => {
    const [active, canary] = [
      { version: 1, rules: [] },
      { version: 2, rules: [], percent: 25 },
    ];
    const keys = Array.from({ length: 2_000 }, (_, serial) => vinKey(serial));
    const versions = keys.map((key) => ruleSetFor({ active, canary }, key)?.version);
    expect(versions.filter((version) => version === 2).length / keys.length).toBeCloseTo(0.25, 1);
    expect(keys.every((key) => ruleSetFor({ active, canary: null }, key) === active)).toBe(true);
    expect(ruleSetFor(NO_RULES, vinKey(1))).toBeNull();
  });
});
