import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CompareReport, RebuildReport } from "#schema/api/projection.ts";
import { type Control, call, createControl, VARIABLES } from "./support/control.ts";
import { addCell, createMember, vinOf } from "./support/fleet.ts";

let control: Control;

const PEPPERS = JSON.stringify([
  { id: "p2", secret: "pepper-of-the-unit-tests-new-0123456789" },
  { id: "p1", secret: "pepper-of-the-unit-tests-0123456789" },
]);

beforeEach(async () => {
  control = await createControl({ variables: { ...VARIABLES, PEPPERS } });
  await addCell(control, await createMember("cell-a"), { hardLimit: 5_000 });
});
afterEach(() => control.close());

const importMany = (count: number) =>
  call(control.app, "POST", "/v1/vehicles/import", {
    body: Array.from({ length: count }, (_, n) => JSON.stringify({ vin: vinOf(n) })).join("\n"),
    headers: { "Content-Type": "application/x-ndjson" },
  });
const stream = async (path: string): Promise<unknown[]> =>
  (await call(control.app, "POST", path)).text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
const compare = async (query = "") => (await stream(`/v1/projection/compare${query}`)).map((line) => CompareReport.parse(line));
const faultsOf = (reports: readonly CompareReport[]) =>
  reports.flatMap((report) => (report.kind === "difference" ? [`${report.pepper} ${report.fault}`] : [])).sort();
const routes = () => new Map([...control.kv.values].filter(([key]) => key.startsWith("r/")));

/** One key of each fault, under the current pepper. */
const spoil = (): void => {
  const [missing, older, newer, other, broken] = [...routes().keys()].filter((key) => key.startsWith("r/p2/"));
  control.kv.values.delete(String(missing));
  control.kv.values.set(String(older), '{"v":1,"c":"cell-a","e":0}');
  control.kv.values.set(String(newer), '{"v":1,"c":"cell-a","e":9}');
  control.kv.values.set(String(other), '{"v":1,"c":"cell-z","e":1}');
  control.kv.values.set(String(broken), "rubbish");
  control.kv.values.set("r/p2/kkkkkkkkkkkkkkkkkkkkkk", '{"v":1,"c":"cell-a","e":1}');
};
// An epoch of 0 is no record at all.
const SPOILT = ["p2 extra", "p2 missing", "p2 missing", "p2 missing", "p2 newer", "p2 other_cell"];

describe("POST /v1/projection/compare", () => {
  test("I3: finds nothing when KV says what libSQL says, under every pepper", async () => {
    await importMany(1_200);
    await control.core.publish();
    const reports = await compare();
    expect(reports.at(-1)).toEqual({ kind: "done", keys: 2_400, differences: 0, mended: 0 });
    expect(reports.filter(({ kind }) => kind === "progress").length).toBeGreaterThan(1);
  });

  test("I3: names every kind of difference and changes nothing, unless it is told to mend", async () => {
    await importMany(8);
    await control.core.publish();
    const truth = routes();
    spoil();
    expect(faultsOf(await compare())).toEqual(SPOILT);
    await control.core.publish();
    expect(routes()).not.toEqual(truth);
    expect((await compare("?mend=true")).at(-1)).toMatchObject({ differences: 6, mended: 6 });
    await control.core.publish();
    expect(routes()).toEqual(truth);
    expect((await compare()).at(-1)).toMatchObject({ differences: 0 });
  });

  test("an older epoch is told from a newer one", async () => {
    await importMany(1);
    await addCell(control, await createMember("cell-b"));
    await control.core.publish();
    const held = routes();
    await call(control.app, "PATCH", `/v1/vehicles/${vinOf(0)}`, { body: { cell: "cell-b" } });
    await control.core.publish();
    for (const [key, value] of held) control.kv.values.set(key, value);
    expect(faultsOf(await compare())).toEqual(["p1 older", "p2 older"]);
  });
});

describe("POST /v1/projection/rebuild", () => {
  test("I3: all of KV comes back from libSQL, topology included", async () => {
    await importMany(300);
    await control.core.publish();
    const truth = new Map(control.kv.values);
    control.kv.values.clear();
    const reports = (await stream("/v1/projection/rebuild")).map((line) => RebuildReport.parse(line));
    expect(reports.at(-1)).toEqual({ kind: "done", routes: 300 });
    control.clock.now += 2_000;
    await control.core.publish();
    expect(new Map(control.kv.values)).toEqual(truth);
  });
});

describe("the endless comparison", () => {
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) {
      control.clock.now += 1_000;
      await control.core.tick();
      await control.core.publish();
    }
  };

  test("I3: mends whatever went wrong with KV, by itself, and says so in the log", async () => {
    await importMany(50);
    await control.core.publish();
    const truth = routes();
    await turns(125);
    spoil();
    await turns(125);
    expect(routes()).toEqual(truth);
    expect(control.logs.join("\n")).toContain("KV differed from libSQL");
  });

  test("a write that was lost is found two minutes later, however large the fleet", async () => {
    await importMany(3_000);
    await control.core.publish();
    await turns(1);
    await call(control.app, "PATCH", `/v1/vehicles/${vinOf(2_999)}`, { body: { model: "x" } });
    await addCell(control, await createMember("cell-b"));
    const before = routes();
    await call(control.app, "PATCH", `/v1/vehicles/${vinOf(2_999)}`, { body: { cell: "cell-b" } });
    await control.core.publish();
    const truth = routes();
    for (const [key, value] of before) control.kv.values.set(key, value);
    await turns(100);
    expect(routes()).toEqual(before);
    await turns(30);
    expect(routes()).toEqual(truth);
  });

  test("writes nothing while nothing differs", async () => {
    await importMany(10);
    await control.core.publish();
    await turns(1);
    const writes = control.kv.writes.length;
    await turns(130);
    expect(control.kv.writes.length).toBe(writes);
  });
});
