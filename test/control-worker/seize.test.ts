import { afterEach, beforeEach, expect, test } from "vitest";
import { call } from "./support/control.ts";
import { crash, createMoveLab, type MoveLab, ownersOf, startCampaign, statesOf, tick } from "./support/move-lab.ts";

let lab: MoveLab;
beforeEach(async () => {
  lab = await createMoveLab(3);
  await lab.control.database.sql("update cells set standby = 'cell-b' where id = 'cell-a'");
  await live(3, "a", "b", "c");
});
afterEach(() => lab.control.close());

const live = async (seconds: number, ...names: readonly ("a" | "b" | "c")[]) => {
  for (let n = 0; n < seconds; n++) {
    for (const name of names) await lab.cells[name].sync(lab.control);
    await tick(lab);
  }
};
const lose = async () => {
  lab.alive.delete("cell-a");
  for (const cell of Object.values(lab.cells)) cell.reaches = (id) => id !== "cell-a";
  await live(9, "b", "c");
};
const seize = (confirm = "cell-a") => call(lab.control.app, "POST", "/v1/cells/cell-a/seize", { body: { confirm } });
const stateOf = async () => (await call(lab.control.app, "GET", "/v1/cells/cell-a")).json["state"];

test("I2: a seized cell's vehicles are its standby's own at new epochs; the cell is retired and its key worth nothing", async () => {
  await lose();
  expect((await seize()).json).toMatchObject({ phase: "failed_over", seizedAt: expect.any(String) });
  expect((await seize()).status).toBe(200);
  await live(3, "b", "c");
  expect(await ownersOf(lab)).toEqual(Array(3).fill({ cell: "cell-b", epoch: 2 }));
  expect(await stateOf()).toBe("retired");
  await lab.control.core.publish();
  const topology = JSON.parse(lab.control.kv.values.get("topology") ?? "{}");
  expect([Object.keys(topology.cells), topology.failovers]).toEqual([["cell-b", "cell-c"], []]);
  lab.control.clock.now += 6_000;
  expect(await lab.cells.a.sync(lab.control)).toBe(401);
});

test("only a cell that is down and failed over is seized, and only by its name said twice", async () => {
  expect((await seize()).status).toBe(409);
  await lose();
  expect((await seize("cell-b")).status).toBe(409);
  expect(await ownersOf(lab)).toEqual(Array(3).fill({ cell: "cell-a", epoch: 1 }));
});

test("a move out of it that had a lock there is aborted, and the vehicle goes to the standby all the same", async () => {
  await startCampaign(lab, { targets: ["cell-c"], policy: { canaryShare: 0 } });
  await tick(lab);
  await lab.cells.a.sync(lab.control);
  await lab.cells.a.sync(lab.control);
  expect(await statesOf(lab)).toEqual(["copying", "copying", "copying"]);
  lab.cells.a.isReachable = false;
  await lose();
  expect(await statesOf(lab)).toEqual(["unlocking", "unlocking", "unlocking"]);
  await seize();
  await live(3, "b", "c");
  expect(await statesOf(lab)).toEqual(["aborted", "aborted", "aborted"]);
  expect(await ownersOf(lab)).toEqual(Array(3).fill({ cell: "cell-b", epoch: 2 }));
});

test("I1: a standby without room takes what it has room for; an alert says who waits, and room lets it go on, over a crash too", async () => {
  await lose();
  await lab.control.database.sql("update cells set hard_limit = 1 where id = 'cell-b'");
  await seize();
  await live(2, "b", "c");
  expect((await ownersOf(lab)).map(({ cell }) => cell).sort()).toEqual(["cell-a", "cell-a", "cell-b"]);
  expect(await lab.control.database.sql("select subject from alerts where kind = 'seizure_stuck' and resolved_at is null")).toEqual([
    { subject: "cell-a" },
  ]);
  await lab.control.database.sql("update cells set hard_limit = 10 where id = 'cell-b'");
  await crash(lab);
  await live(3, "b", "c");
  expect([await stateOf(), new Set((await ownersOf(lab)).map(({ cell }) => cell))]).toEqual(["retired", new Set(["cell-b"])]);
  expect(await lab.control.database.sql("select subject from alerts where kind = 'seizure_stuck' and resolved_at is null")).toEqual([]);
});
