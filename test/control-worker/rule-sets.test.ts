import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DryRunReport, PlacementRuleSet, RulesInUse } from "#schema/api/rule-sets.ts";
import { type Answer, type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let pop: Member;

beforeEach(async () => {
  control = await createControl();
  pop = await createMember("pop-1");
  await addPop(control, pop);
  await addCell(control, await createMember("cell-a"));
  await addCell(control, await createMember("cell-vip"));
  await control.database.sql(`update cells set tags = '["vip"]' where id = 'cell-vip'`);
});
afterEach(() => control.close());

const codeOf = ({ status, json }: Answer) => [status, json["code"]];
const draft = async (...rules: readonly Record<string, unknown>[]): Promise<PlacementRuleSet> => {
  const answer = await call(control.app, "POST", "/v1/rule-sets", { body: { rules } });
  expect([answer.status, answer.text]).toEqual([201, answer.text]);
  expect(PlacementRuleSet.parse(answer.json)).toEqual(answer.json);
  return PlacementRuleSet.parse(answer.json);
};
const step = (version: number, verb: string, body?: unknown) =>
  call(control.app, "POST", `/v1/rule-sets/${version}/${verb}`, body === undefined ? {} : { body });
const rollback = async () => {
  const answer = await call(control.app, "POST", "/v1/rule-sets/rollback");
  return answer.status === 200 ? RulesInUse.parse(answer.json) : codeOf(answer);
};
const place = async (n: number) =>
  (
    await call(control.app, "POST", "/v1/placements", {
      token: await assertionOf(control, pop),
      body: { vin: vinOf(n), issuer: DEVICE_ISSUER },
    })
  ).json;
const importAll = (vehicles: readonly Record<string, unknown>[]) =>
  call(control.app, "POST", "/v1/vehicles/import", {
    body: vehicles.map((vehicle) => JSON.stringify(vehicle)).join("\n"),
    headers: { "Content-Type": "application/x-ndjson" },
  });
const cellOf = async (n: number) => (await call(control.app, "GET", `/v1/vehicles/${vinOf(n)}`)).json["cell"];

const toVip = { id: "all-vip", tags: ["vip"] };
const toA = { id: "all-a", cells: ["cell-a"] };
const tiers = { id: "tiers", when: { tiers: ["vip"] }, tags: ["vip"], otherwise: "refuse" };

describe("drafts", () => {
  test("are numbered, kept as they are, and say what is wrong with them", async () => {
    const first = await draft(toA, { id: "late", cells: ["cell-z"] });
    expect(first).toMatchObject({
      version: 1,
      state: "draft",
      createdBy: "bootstrap",
      rules: [{ id: "all-a", policy: "weighted", otherwise: "next" }, { id: "late" }],
    });
    expect(first.findings.map(({ kind, rule, by, isFault }) => [kind, rule, by, isFault])).toEqual([
      ["unknown_cell", "late", null, true],
      ["shadowed", "late", "all-a", false],
    ]);
    expect((await draft(toA)).version).toBe(2);
    const listed = (await call(control.app, "GET", "/v1/rule-sets?limit=1")).json;
    expect((listed["items"] as { version: number }[]).map(({ version }) => version)).toEqual([2]);
    expect((await call(control.app, "GET", `/v1/rule-sets?cursor=${listed["cursor"]}`)).json["items"]).toHaveLength(1);
    await expect(control.database.sql("update rule_sets set rules = '[]' where version = 1")).rejects.toThrow("never change");
  });

  test.each([
    ["two rules of one id", [toA, toA]],
    ["a member that does not exist", [{ ...toA, colour: "red" }]],
    ["a condition that does not exist", [{ ...toA, when: { colours: ["red"] } }]],
    ["a WMI that is none", [{ ...toA, when: { wmis: ["wvwx"] } }]],
    ["an empty list", [{ ...toA, when: { models: [] } }]],
  ])("with %s are refused", async (_, rules) => {
    expect(codeOf(await call(control.app, "POST", "/v1/rule-sets", { body: { rules } }))).toEqual([422, "validation_failed"]);
  });

  test("asked for twice under one key there is one", async () => {
    const ask = () => call(control.app, "POST", "/v1/rule-sets", { body: { rules: [toA] }, headers: { "Idempotency-Key": "k" } });
    const [first, second] = [await ask(), await ask()];
    expect([second.status, second.json]).toEqual([201, first.json]);
    expect(await control.database.sql("select count(*) as n from rule_sets")).toEqual([{ n: 1 }]);
  });
});

describe("rules in use", () => {
  test("place new vehicles, name themselves in the answer, and never move anybody", async () => {
    await importAll([{ vin: vinOf(1) }]);
    await control.database.sql("update cells set weight = 100000 where id = 'cell-a'");
    const before = await cellOf(1);
    await step((await draft(toVip)).version, "activate");
    expect(await place(2)).toMatchObject({ cell: "cell-vip", reason: "placed", rule: "1/all-vip" });
    expect(await place(2)).toMatchObject({ cell: "cell-vip", reason: "assigned" });
    expect(await cellOf(1)).toBe(before);
    await importAll([{ vin: vinOf(1), tier: "gold" }, { vin: vinOf(3) }]);
    expect([await cellOf(1), await cellOf(3)]).toEqual([before, "cell-vip"]);
  });

  test("look at what the import says of a vehicle", async () => {
    await step((await draft(tiers, toA)).version, "activate");
    await importAll([
      { vin: vinOf(1), tier: "vip" },
      { vin: vinOf(2), tier: "basic" },
    ]);
    expect([await cellOf(1), await cellOf(2)]).toEqual(["cell-vip", "cell-a"]);
  });

  test("I1: a rule that refuses leaves a vehicle without a cell rather than in another", async () => {
    await control.database.sql("update cells set hard_limit = 1 where id = 'cell-vip'");
    await step((await draft({ ...toVip, otherwise: "refuse" })).version, "activate");
    expect((await place(1))["cell"]).toBe("cell-vip");
    expect(await place(2)).toMatchObject({ code: "no_capacity", retryable: true });
  });

  test("are not put to use with faults; warnings do not hold them up", async () => {
    const { version } = await draft({ id: "nowhere", tags: ["gold"] });
    for (const answer of [await step(version, "activate"), await step(version, "canary", { percent: 5 })]) {
      expect(codeOf(answer)).toEqual([409, "conflict"]);
      expect(answer.json["detail"]).toContain("nowhere");
    }
    expect((await step((await draft(toA, toVip)).version, "activate")).status).toBe(200);
  });

  test("the topology names the active version, and no other", async () => {
    await control.core.publish();
    const versionAtEdge = () =>
      (JSON.parse(control.kv.values.get("topology") ?? "{}") as { ruleSetVersion?: number | null }).ruleSetVersion;
    expect(versionAtEdge()).toBeNull();
    const { version } = await draft(toA);
    await step(version, "canary", { percent: 50 });
    control.clock.now += 2_000;
    await control.core.publish();
    expect(versionAtEdge()).toBeNull();
    await step(version, "activate");
    control.clock.now += 2_000;
    await control.core.publish();
    expect(versionAtEdge()).toBe(version);
  });
});

describe("canary and roll-back", () => {
  test("a canary places its share by its own rules, and one call ends it", async () => {
    await step((await draft(toA)).version, "activate");
    const canary = await draft(toVip);
    expect((await step(canary.version, "canary", { percent: 30 })).json).toMatchObject({ state: "canary", canaryPercent: 30 });
    await importAll(Array.from({ length: 500 }, (_, n) => ({ vin: vinOf(n) })));
    const share = Number((await control.database.sql("select count(*) as n from assignments where cell = 'cell-vip'"))[0]?.["n"]);
    expect(share).toBeGreaterThan(100);
    expect(share).toBeLessThan(200);
    expect(await rollback()).toEqual({ active: 1, canary: null });
    expect((await call(control.app, "GET", `/v1/rule-sets/${canary.version}`)).json).toMatchObject({ state: "draft", canaryPercent: null });
    await importAll(Array.from({ length: 100 }, (_, n) => ({ vin: vinOf(n, "2") })));
    expect(await control.database.sql("select count(*) as n from assignments where cell = 'cell-vip'")).toEqual([{ n: share }]);
  });

  test("there is one canary at a time: another one takes its place, its share can be raised, and it can become active", async () => {
    const [first, second] = [await draft(toA), await draft(toVip)];
    await step(first.version, "canary", { percent: 10 });
    await step(second.version, "canary", { percent: 10 });
    await step(second.version, "canary", { percent: 60 });
    expect(await control.database.sql("select version, state, canary_percent as percent from rule_sets order by version")).toEqual([
      { version: 1, state: "draft", percent: null },
      { version: 2, state: "canary", percent: 60 },
    ]);
    expect((await step(second.version, "activate")).json).toMatchObject({ state: "active", canaryPercent: null });
  });

  test("roll-backs go back through what was active, to no rules at all; what was rolled back may come again", async () => {
    for (const rules of [toA, toVip, toA]) await step((await draft(rules)).version, "activate");
    expect(await rollback()).toEqual({ active: 2, canary: null });
    expect((await place(1))["rule"]).toBe("2/all-vip");
    expect(await rollback()).toEqual({ active: 1, canary: null });
    expect((await place(2))["rule"]).toBe("1/all-a");
    expect(await rollback()).toEqual({ active: null, canary: null });
    expect((await place(3))["rule"]).toBeUndefined();
    expect(await rollback()).toEqual([409, "conflict"]);
    expect((await step(3, "activate")).json["state"]).toBe("active");
    expect(await rollback()).toEqual({ active: 2, canary: null });
  });

  test("every step is in the audit, with what it was and is", async () => {
    const { version } = await draft(toA);
    await step(version, "activate");
    await rollback();
    const entries = (await call(control.app, "GET", "/v1/audit")).json["items"] as { action: string; target: string; after: unknown }[];
    expect(entries.map(({ action, target }) => [action, target])).toEqual([
      ["POST /v1/rule-sets/rollback", "rule-set/1"],
      ["POST /v1/rule-sets/:version/activate", "rule-set/1"],
      ["POST /v1/rule-sets", "rule-set/1"],
    ]);
    expect(entries[0]?.after).toEqual({ state: "retired", canaryPercent: null });
  });
});

describe("dry runs", () => {
  const dryRun = async (version: number, query = "") => {
    const answer = await call(control.app, "POST", `/v1/rule-sets/${version}/dry-run${query}`);
    return answer.text
      .trim()
      .split("\n")
      .map((line) => DryRunReport.parse(JSON.parse(line)));
  };

  test("say who would go where, with progress, and change nothing", async () => {
    await control.database.sql("update cells set hard_limit = 5000");
    await step((await draft(toA)).version, "activate");
    const vehicles = Array.from({ length: 1_500 }, (_, n) => ({ vin: vinOf(n), tier: n % 3 === 0 ? "vip" : null }));
    await importAll(vehicles);
    const state = () =>
      control.database.sql("select count(*) as n, sum(epoch) as epochs, group_concat(distinct cell) as cells from assignments");
    const before = await state();
    const reports = await dryRun((await draft(tiers, toA)).version);
    expect(reports.map(({ kind }) => kind)).toEqual(["progress", "progress", "done"]);
    expect(reports.at(-1)).toEqual({
      kind: "done",
      vehicles: 1_500,
      changed: 500,
      unplaced: 0,
      flows: [{ from: "cell-a", to: "cell-vip", rule: "tiers", vehicles: 500 }],
      rules: [
        { rule: "tiers", vehicles: 500 },
        { rule: "all-a", vehicles: 1_000 },
      ],
    });
    expect(await state()).toEqual(before);
  });

  test("count those that no cell would take, and name each vehicle when asked to", async () => {
    await importAll([1, 2, 3].map((n) => ({ vin: vinOf(n), tier: "vip" })));
    await control.database.sql("update cells set hard_limit = 2 where id = 'cell-vip'");
    const reports = await dryRun((await draft(tiers)).version, "?changes=true");
    expect(reports.at(-1)).toMatchObject({ vehicles: 3, unplaced: 1 });
    expect(reports.filter((report) => report.kind === "change" && report.to === null)).toMatchObject([{ vin: vinOf(3) }]);
  });

  test("of what is in use already find nothing to change", async () => {
    const { version } = await draft({ id: "all", policy: "weighted" });
    await step(version, "activate");
    await importAll(Array.from({ length: 50 }, (_, n) => ({ vin: vinOf(n) })));
    expect((await dryRun(version)).at(-1)).toMatchObject({ vehicles: 50, changed: 0, flows: [] });
  });
});
