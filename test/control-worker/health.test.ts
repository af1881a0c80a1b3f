import { afterEach, beforeEach, expect, test } from "vitest";
import { signAssertion } from "#schema/crypto/assertion.ts";
import { type Control, call } from "./support/control.ts";
import { crash, createMoveLab, type MoveLab, tick } from "./support/move-lab.ts";

let lab: MoveLab;
beforeEach(async () => {
  lab = await createMoveLab(0);
});
afterEach(() => lab.control.close());

type Name = "a" | "b" | "c";
/** Seconds go by in which these cells sync, each every second. */
const live = async (seconds: number, ...names: readonly Name[]) => {
  for (let n = 0; n < seconds; n++) {
    for (const name of names) await lab.cells[name].sync(lab.control);
    await tick(lab);
  }
};
const healths = async (): Promise<string[]> =>
  (await lab.control.database.sql("select health from cells order by id")).map(({ health }) => String(health));
const healthOf = async () => (await healths())[0];
const silence = (isReached: boolean): void => {
  lab.alive.delete("cell-a");
  for (const name of ["b", "c"] as const) lab.cells[name].reaches = (id) => id !== "cell-a" || isReached;
};
const topologyEvents = async (control: Control = lab.control) =>
  Number((await control.database.sql("select count(*) as n from outbox where kind = 'topology'"))[0]?.["n"]);
const openAlerts = () => lab.control.database.sql("select kind, subject from alerts where resolved_at is null");

test("two missed syncs make a cell suspect; that alone never takes it down", async () => {
  await live(3, "a", "b", "c");
  await live(4, "b", "c");
  expect(await healths()).toEqual(["suspect", "healthy", "healthy"]);
  await live(3, "b");
  expect(await healthOf()).not.toBe("down");
});

test("I13: down needs the probe and a witness; the topology is written once for it, however many vehicles there are", async () => {
  await live(3, "a", "b", "c");
  silence(false);
  await live(4, "b", "c");
  const before = await topologyEvents();
  expect(await healthOf()).toBe("suspect");
  await live(4, "b", "c");
  expect([await healthOf(), (await topologyEvents()) - before]).toEqual(["down", 1]);
  expect(await openAlerts()).toEqual(expect.arrayContaining([{ kind: "cell_down", subject: "cell-a" }]));
});

test.each([
  ["the witness reaches it", false, true],
  ["the probe reaches it", true, false],
])("a silent cell is isolated as long as %s: its traffic stays", async (_, isProbed, isWitnessed) => {
  await live(3, "a", "b", "c");
  silence(isWitnessed);
  if (isProbed) lab.alive.add("cell-a");
  await live(10, "b", "c");
  expect([await healthOf(), await openAlerts()]).toEqual(["isolated", [{ kind: "cell_isolated", subject: "cell-a" }]]);
});

test("nobody is down when nobody is heard: it is control that is cut off", async () => {
  await live(3, "a", "b", "c");
  lab.alive.clear();
  await live(30);
  expect(await healths()).toEqual(["healthy", "healthy", "healthy"]);
});

test("misses count only while control takes syncs: neither a restart nor a pause condemns anybody", async () => {
  await live(3, "a", "b", "c");
  silence(false);
  await crash(lab);
  await live(3, "b", "c");
  expect(await healthOf()).toBe("healthy");
  lab.control.clock.now += 60_000;
  await live(2, "b", "c");
  expect(await healthOf()).toBe("healthy");
});

test("a cell that comes back is healthy when it has stayed for a while; one that comes and goes is not, and nothing is written meanwhile", async () => {
  await live(3, "a", "b", "c");
  silence(false);
  await live(9, "b", "c");
  expect(await healthOf()).toBe("down");
  const before = await topologyEvents();
  for (let n = 0; n < 3; n++) {
    await live(2, "a", "b", "c");
    await live(5, "b", "c");
  }
  expect([await healthOf(), await topologyEvents()]).toEqual(["down", before]);
  await live(7, "a", "b", "c");
  expect([await healthOf(), await openAlerts()]).toEqual(["healthy", []]);
});

test("a clock that is 5 minutes off is contact all the same: such a cell is never down for it", async () => {
  await live(3, "a", "b", "c");
  silence(false);
  const { member } = lab.cells.a;
  for (let n = 0; n < 12; n++) {
    const token = await signAssertion(member.key, member.id, lab.control.clock.now - 300_000);
    const body = { observed: { incarnation: 1, release: "1", health: "ok" }, cursor: null };
    expect((await call(lab.control.app, "POST", "/v1/cells/cell-a/sync", { token, body })).json["code"]).toBe("clock_skew");
    await live(1, "b", "c");
  }
  expect(await healthOf()).toBe("healthy");
});

test("only named witnesses are heard: a cell that nobody asked condemns nobody", async () => {
  await live(3, "a", "b", "c");
  lab.alive.delete("cell-a");
  for (let n = 0; n < 12; n++) {
    await tick(lab);
    const token = await signAssertion(lab.cells.b.member.key, "cell-b", lab.control.clock.now);
    const observed = { incarnation: 1, release: "1.0.0", health: "ok", witness: [{ cell: "cell-b", isReachable: false }] };
    await call(lab.control.app, "POST", "/v1/cells/cell-b/sync", { token, body: { observed, cursor: null } });
  }
  expect((await healths())[1]).toBe("healthy");
  expect(await healthOf()).toBe("suspect");
});
