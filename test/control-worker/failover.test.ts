import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Alert } from "#schema/api/alerts.ts";
import { Failover } from "#schema/api/failover.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { call } from "./support/control.ts";
import { crash, createMoveLab, type MoveLab, ownersOf, tick } from "./support/move-lab.ts";

let lab: MoveLab;
const setUp = async (zones: readonly (string | null)[] = []) => {
  lab = await createMoveLab(3, zones);
  await lab.control.database.sql(
    "update cells set standby = 'cell-b' where id in ('cell-a', 'cell-c') and zone is (select zone from cells where id = 'cell-b')",
  );
  await live(3, "a", "b", "c");
};
beforeEach(() => setUp());
afterEach(() => lab.control.close());

type Name = "a" | "b" | "c";
const live = async (seconds: number, ...names: readonly Name[]) => {
  for (let n = 0; n < seconds; n++) {
    for (const name of names) await lab.cells[name].sync(lab.control);
    await tick(lab);
  }
};
/** These cells are dead to everybody from now on. */
const kill = (...names: readonly Name[]): void => {
  for (const name of names) lab.alive.delete(`cell-${name}`);
  for (const cell of Object.values(lab.cells)) cell.reaches = (id) => lab.alive.has(id);
};
const failover = async (id = "cell-a") => (await call(lab.control.app, "GET", `/v1/cells/${id}/failover`)).json;
const post = (path: string, body?: unknown, id = "cell-a") =>
  call(lab.control.app, "POST", `/v1/cells/${id}/${path}`, body === undefined ? {} : { body });
const setPolicy = (policy: string) => call(lab.control.app, "PUT", "/v1/cells/cell-a/failover-policy", { body: { policy } });
const topology = () => JSON.parse(lab.control.kv.values.get("topology") ?? "{}");
const accountsAt = (name: Name) => lab.cells[name].last?.failovers;
const openAlerts = async () => (await call(lab.control.app, "GET", "/v1/alerts?open=true")).json["items"] as Alert[];

describe("automatic failover", () => {
  test("I6: a cell that goes down is served by its standby with one topology write, and no assignment changes", async () => {
    await lab.control.core.publish();
    const { writes } = lab.control.kv;
    const published = writes.filter(({ key }) => key === "topology").length;
    const before = [await ownersOf(lab), writes.filter(({ key }) => key !== "topology").length];
    kill("a");
    for (let n = 0; n < 9; n++) {
      await live(1, "b", "c");
      await lab.control.core.publish();
    }
    expect(await failover()).toMatchObject({ phase: "failed_over", term: 1, standby: "cell-b" });
    expect(topology().failovers).toEqual([{ cell: "cell-a", standby: "cell-b", term: 1 }]);
    const said = writes
      .filter(({ key }) => key === "topology")
      .slice(published)
      .map(({ value }) => JSON.parse(value ?? ""));
    expect(said.map(({ cells, failovers }) => [cells["cell-a"].health, failovers.length])).toEqual([
      ["suspect", 0],
      ["down", 1],
    ]);
    expect([await ownersOf(lab), writes.filter(({ key }) => key !== "topology").length]).toEqual(before);
  });

  test("within 10 s of the last sync the standby knows of it, and so does the cell itself when it comes back", async () => {
    kill("a");
    await live(9, "b", "c");
    await lab.cells.b.sync(lab.control);
    const account = { cell: "cell-a", phase: "failed_over", term: 1, standby: "cell-b" };
    expect(accountsAt("b")).toEqual(expect.arrayContaining([account]));
    expect(accountsAt("c")).toEqual([{ cell: "cell-c", phase: "serving", term: 0, standby: null }]);
    await lab.cells.a.sync(lab.control);
    expect(accountsAt("a")).toEqual([account]);
  });

  test("I13: when a second cell goes down within 10 minutes a person is asked, who may still decide", async () => {
    kill("a");
    await live(9, "b", "c");
    kill("c");
    await live(12, "b");
    expect([await failover(), await failover("cell-c")]).toMatchObject([{ phase: "failed_over" }, { phase: "serving", term: 0 }]);
    const held = (await openAlerts()).filter(({ kind }) => kind === "failover_held");
    expect(held).toMatchObject([{ subject: "cell-c", severity: "critical", count: 1 }]);
    expect((await post("failover", {}, "cell-c")).json).toMatchObject({ phase: "failed_over", standby: "cell-b" });
    expect((await openAlerts()).filter(({ kind }) => kind === "failover_held")).toEqual([]);
  });

  test("two cells lost at once are held from the edge; what an operator then decides reaches it", async () => {
    await lab.control.core.publish();
    kill("a", "c");
    await live(12, "b");
    await lab.control.core.publish();
    expect([await failover(), await failover("cell-c")]).toMatchObject([{ term: 0 }, { term: 0 }]);
    expect(topology().cells["cell-a"].health).not.toBe("down");
    expect((await post("failover", {})).status).toBe(200);
    await live(2, "b");
    await lab.control.core.publish();
    expect(topology()).toMatchObject({ failovers: [{ cell: "cell-a", standby: "cell-b", term: 1 }] });
  });

  test.each([
    ["held", 200],
    ["forbidden", 409],
  ])("a failover that is %s waits for an operator, whose call answers %i", async (policy, status) => {
    expect((await setPolicy(policy)).json).toMatchObject({ policy, term: 0 });
    kill("a");
    await live(9, "b", "c");
    expect(await failover()).toMatchObject({ phase: "serving", policy });
    expect((await post("failover", {})).status).toBe(status);
  });

  test("a standby that is not fit does not take over, nor one that is missing", async () => {
    await lab.control.database.sql("update cells set standby = null where id = 'cell-a'");
    kill("a");
    await live(9, "b", "c");
    expect([await failover(), await openAlerts()]).toMatchObject([
      { term: 0 },
      [{ detail: "the cell has no standby" }, { kind: "cell_down" }],
    ]);
  });

  test.each([5, 6, 7, 8])("a crash of control after %i seconds delays it, and declares it once", async (seconds) => {
    kill("a");
    await live(seconds, "b", "c");
    await crash(lab);
    await live(12, "b", "c");
    expect(await failover()).toMatchObject({ phase: "failed_over", term: 1 });
  });
});

describe("an operator's word", () => {
  test("force gives up a healthy cell too; saying it again changes nothing", async () => {
    expect((await post("failover", {})).status).toBe(409);
    const { status, json } = await post("failover", { force: true });
    expect([status, Failover.parse(json)]).toMatchObject([200, { phase: "failed_over", term: 1, standby: "cell-b" }]);
    expect((await post("failover", { force: true })).json).toMatchObject({ term: 1 });
  });

  test("I12: nobody stands in for a cell of another zone, whoever asks for it", async () => {
    lab.control.close();
    await setUp(["cn", "cn", "eu"]);
    expect((await post("failover", { force: true, standby: "cell-c" })).status).toBe(409);
    expect((await call(lab.control.app, "PATCH", "/v1/cells/cell-a", { body: { standby: "cell-c" } })).json["code"]).toBe("zone_mismatch");
    await expect(lab.control.database.sql("update cells set standby = 'cell-c' where id = 'cell-a'")).rejects.toThrow("zone of its cell");
    await expect(
      lab.control.database.sql("insert into failovers (cell, phase, term, standby) values ('cell-a', 'failed_over', 1, 'cell-c')"),
    ).rejects.toThrow("zone of its cell");
  });

  test("the term only rises, in the database itself", async () => {
    await post("failover", { force: true });
    await expect(lab.control.database.sql("update failovers set term = 0")).rejects.toThrow("only rises");
    await expect(lab.control.database.sql("update failovers set standby = 'cell-c'")).rejects.toThrow("only rises");
  });

  test("alerts are acknowledged once and stay open until what they are about is over", async () => {
    kill("a");
    await live(9, "b", "c");
    const page = await call(lab.control.app, "GET", "/v1/alerts?limit=1");
    expect(pageOf(Alert).parse(page.json)).toEqual(page.json);
    const [alert] = await openAlerts();
    const first = await call(lab.control.app, "POST", `/v1/alerts/${alert?.id}/acknowledge`);
    lab.control.clock.now += 5_000;
    const again = await call(lab.control.app, "POST", `/v1/alerts/${alert?.id}/acknowledge`);
    expect(again.json).toEqual(first.json);
    expect(first.json["acknowledgedAt"]).not.toBeNull();
    expect((await openAlerts()).length).toBeGreaterThan(0);
    expect((await call(lab.control.app, "POST", "/v1/alerts/999/acknowledge")).status).toBe(404);
  });
});

describe("return", () => {
  const guests = (term: number, count: number, cell = "cell-a") => ({ kind: "guests", cell, term, guests: count });
  const failOverAndReturn = async () => {
    kill("a");
    await live(9, "b", "c");
    for (const id of ["cell-a"]) lab.alive.add(id);
    await live(7, "a", "b", "c");
    expect((await post("return")).json).toMatchObject({ phase: "returning", term: 1 });
  };

  test("begins by itself when the cell has been steadily back for a minute", async () => {
    kill("a");
    await live(9, "b", "c");
    lab.alive.add("cell-a");
    await live(50, "a", "b", "c");
    expect(await failover()).toMatchObject({ phase: "failed_over" });
    await live(15, "a", "b", "c");
    await lab.control.core.publish();
    expect(await failover()).toMatchObject({ phase: "returning", term: 1, standby: "cell-b" });
    expect(topology().failovers).toEqual([]);
  }, 30_000);

  test("a cell that is still down does not return", async () => {
    kill("a");
    await live(9, "b", "c");
    expect((await post("return")).status).toBe(409);
  });

  test("ends only when the standby has said, in this term, that none of its guests is left", async () => {
    await failOverAndReturn();
    lab.cells.c.more = [guests(1, 0)];
    lab.cells.b.more = [guests(0, 0), guests(1, 3), guests(1, 0, "cell-c")];
    await live(2, "b", "c");
    expect(await failover()).toMatchObject({ phase: "returning" });
    lab.cells.b.more = [guests(1, 0)];
    await live(2, "b", "c");
    expect(await failover()).toMatchObject({ phase: "serving", term: 1 });
    expect((await post("failover", { force: true })).json).toMatchObject({ phase: "failed_over", term: 2 });
    await live(2, "b", "c");
    expect(await failover()).toMatchObject({ phase: "failed_over", term: 2 });
  });

  test("a cell that is lost again on the way is taken over by the standby that has its vehicles, and by no other", async () => {
    await failOverAndReturn();
    expect((await post("failover", { force: true, standby: "cell-c" })).status).toBe(409);
    expect((await post("failover", { force: true })).json).toMatchObject({ phase: "failed_over", term: 2, standby: "cell-b" });
  });
});
