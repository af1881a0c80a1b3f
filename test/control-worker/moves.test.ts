import { afterEach, describe, expect, test } from "vitest";
import type { Disturbance } from "#schema/domain/move-message.ts";
import { call } from "./support/control.ts";
import { vinOf } from "./support/fleet.ts";
import { crash, createMoveLab, keyOf, type MoveLab, ownersOf, round, settle, startCampaign, statesOf, tick } from "./support/move-lab.ts";

let lab: MoveLab;
afterEach(() => lab.control.close());

const steer = (id: string, steering: string) => call(lab.control.app, "POST", `/v1/campaigns/${id}/${steering}`);
const recordAt = (cell: "a" | "b" | "c", n = 0) => lab.cells[cell].at(keyOf(n)).record;

describe("a move", () => {
  test("goes from its owner to its target: one new epoch, the vehicle seen there, the source with a marker", async () => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    await settle(lab);
    await round(lab);
    expect(await ownersOf(lab)).toEqual([{ cell: "cell-b", epoch: 2 }]);
    expect(recordAt("b")).toEqual({ state: "owned", epoch: 2 });
    expect(recordAt("a")).toEqual({ state: "moved", epoch: 2, movedTo: "cell-b" });
    const { items } = (await call(lab.control.app, "GET", `/v1/moves?vin=${vinOf(0)}`)).json as { items: Record<string, unknown>[] };
    expect(items).toMatchObject([{ state: "done", waitsFor: "nobody", fromEpoch: 1, toEpoch: 2, failure: null }]);
    expect(Object.keys(items[0]?.["times"] ?? {})).toEqual(expect.arrayContaining(["planned", "locking", "copying", "switching", "done"]));
  });

  test("waits for a vehicle that is not quiet until the deadline, which ends the wait and never the lock", async () => {
    lab = await createMoveLab(1);
    lab.cells.a.disturbance = "drive" satisfies Disturbance;
    await startCampaign(lab, { policy: { lockWaitSeconds: 5 } });
    for (let n = 0; n < 4; n++) await round(lab);
    expect(await statesOf(lab)).toEqual(["locking"]);
    for (let n = 0; n < 4; n++) {
      await tick(lab);
      lab.cells.a.restart();
      await lab.cells.a.sync(lab.control);
    }
    await settle(lab);
    expect(await lab.control.database.sql("select state, failure from moves")).toEqual([{ state: "aborted", failure: "busy" }]);
    expect(await ownersOf(lab)).toEqual([{ cell: "cell-a", epoch: 1 }]);
    expect(recordAt("a")).toEqual({ state: "owned", epoch: 1 });
  });

  test("I1: a target that filled up meanwhile gets nothing, and the source serves again", async () => {
    lab = await createMoveLab(2);
    await startCampaign(lab, { policy: { canaryShare: 0 } });
    await tick(lab);
    await lab.control.database.sql("update cells set hard_limit = 1 where id = 'cell-b'");
    await settle(lab);
    expect((await statesOf(lab)).sort()).toEqual(["aborted", "done"]);
    expect((await ownersOf(lab)).map(({ cell }) => cell).sort()).toEqual(["cell-a", "cell-b"]);
    expect(await lab.control.database.sql("select failure from moves where state = 'aborted'")).toEqual([{ failure: "switch_refused" }]);
    expect([0, 1].map((n) => recordAt("a", n)?.state).sort()).toEqual(["moved", "owned"]);
    expect(await lab.control.database.sql("select assigned from cells order by id")).toEqual([
      { assigned: 1 },
      { assigned: 1 },
      { assigned: 0 },
    ]);
  });

  test("a target that goes down while it copies ends the move; the lock ends by control's word", async () => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    await tick(lab);
    await lab.cells.a.sync(lab.control);
    expect(recordAt("a")?.state).toBe("locked");
    await lab.cells.a.sync(lab.control);
    expect(await statesOf(lab)).toEqual(["copying"]);
    await lab.control.database.sql("update cells set health = 'down' where id = 'cell-b'");
    await tick(lab);
    for (let n = 0; n < 3; n++) await lab.cells.a.sync(lab.control);
    expect(await lab.control.database.sql("select state, failure from moves")).toEqual([{ state: "aborted", failure: "target_lost" }]);
    expect(recordAt("a")).toEqual({ state: "owned", epoch: 1 });
    await lab.control.database.sql("update cells set health = 'healthy' where id = 'cell-b'");
    await round(lab);
    expect(await ownersOf(lab)).toEqual([{ cell: "cell-a", epoch: 1 }]);
  });

  test("a target that goes down behind the switch is waited for: there is only forward", async () => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    await tick(lab);
    for (const cell of ["a", "a", "b", "b"] as const) await lab.cells[cell].sync(lab.control);
    expect(await statesOf(lab)).toEqual(["switching"]);
    await lab.control.database.sql("update cells set health = 'down' where id = 'cell-b'");
    for (let n = 0; n < 3; n++) await tick(lab, 60_000);
    expect(await statesOf(lab)).toEqual(["switching"]);
    await settle(lab);
    expect(await ownersOf(lab)).toEqual([{ cell: "cell-b", epoch: 2 }]);
  });

  test.each([
    ["before", ["a", "a"], { cell: "cell-a", epoch: 1 }, "aborted"],
    ["behind", ["a", "a", "b", "b"], { cell: "cell-b", epoch: 2 }, "done"],
  ] as const)("an abort %s the switch leaves one owner, and never both or none", async (_, syncs, owner, state) => {
    lab = await createMoveLab(1);
    const id = await startCampaign(lab);
    await tick(lab);
    for (const cell of syncs) await lab.cells[cell].sync(lab.control);
    expect((await steer(id, "abort")).json).toMatchObject({ state: "aborted" });
    await settle(lab);
    expect([await ownersOf(lab), await statesOf(lab)]).toEqual([[owner], [state]]);
    const owners = (["a", "b"] as const).filter((cell) => recordAt(cell)?.state === "owned");
    expect(owners.map((cell) => `cell-${cell}`)).toEqual([owner.cell]);
  });

  test("a copy that was pulled before the abort is nothing afterwards", async () => {
    lab = await createMoveLab(1);
    const id = await startCampaign(lab);
    await tick(lab);
    for (const cell of ["a", "a", "b"] as const) await lab.cells[cell].sync(lab.control);
    expect(recordAt("b")?.state).toBe("copied");
    await steer(id, "abort");
    await tick(lab);
    await settle(lab);
    await round(lab);
    expect(recordAt("b")).toEqual({ state: "moved", epoch: 1, movedTo: "cell-a" });
    expect(recordAt("a")).toEqual({ state: "owned", epoch: 1 });
  });

  test("reports that are lost, repeated, late or of others change nothing that they should not", async () => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    const { a, b, c } = lab.cells;
    const said: { vinKey: string; report: (typeof a.outbox)[number]["report"] }[] = [];
    for (let n = 0; n < 8; n++) {
      await tick(lab);
      for (const cell of [a, b]) {
        cell.isLosingReports = n % 3 === 1;
        said.push(...cell.outbox);
        cell.outbox = [...cell.outbox, ...cell.outbox];
        cell.restart();
        await cell.sync(lab.control);
        said.push(...cell.outbox);
        cell.isLosingReports = false;
        await cell.sync(lab.control);
      }
      b.admit(keyOf(0));
    }
    await settle(lab);
    const before = [await ownersOf(lab), await lab.control.database.sql("select state, step, to_epoch from moves")];
    c.outbox = [...said];
    a.outbox = [...said];
    b.outbox = [...said];
    await round(lab);
    expect(await ownersOf(lab)).toEqual([{ cell: "cell-b", epoch: 2 }]);
    expect([await ownersOf(lab), await lab.control.database.sql("select state, step, to_epoch from moves")]).toEqual(before);
    expect(recordAt("c")).toBeNull();
  });

  test("I1, I2: whoever changes the owner in another way meanwhile, the move is given up and the vehicle has one owner", async () => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    await tick(lab);
    for (const cell of ["a", "a", "b"] as const) await lab.cells[cell].sync(lab.control);
    await lab.control.database.sql("update assignments set cell = 'cell-c', epoch = 2");
    await settle(lab);
    expect(await ownersOf(lab)).toEqual([{ cell: "cell-c", epoch: 2 }]);
    expect(await lab.control.database.sql("select state, failure from moves")).toEqual([{ state: "aborted", failure: "switch_refused" }]);
    expect([recordAt("a")?.state, recordAt("b")?.state, recordAt("c")?.state]).toEqual(["moved", "moved", "owned"]);
  });
});

describe("a crash of control", () => {
  /** Everything that can happen in a move, one write or less at a time. */
  const steps = (): (() => Promise<unknown>)[] => {
    const { a, b } = lab.cells;
    return [
      () => tick(lab),
      () => a.sync(lab.control),
      () => a.sync(lab.control),
      () => b.sync(lab.control),
      () => b.sync(lab.control),
      () => b.sync(lab.control),
      async () => b.admit(keyOf(0)),
      () => b.sync(lab.control),
      () => a.sync(lab.control),
    ];
  };

  test.each(Array.from({ length: 9 }, (_, at) => at))("behind step %i leaves everything to its successor", async (at) => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    for (const [index, step] of steps().entries()) {
      await step();
      if (index === at) await crash(lab);
    }
    await settle(lab);
    expect([await ownersOf(lab), await statesOf(lab)]).toEqual([[{ cell: "cell-b", epoch: 2 }], ["done"]]);
  });

  test.each(Array.from({ length: 8 }, (_, nth) => nth + 1))(
    "write %i of a move lost with its answer, it ends all the same",
    async (nth) => {
      lab = await createMoveLab(1);
      await startCampaign(lab);
      let writes = 0;
      const { core } = lab.control;
      const write = core.write.bind(core);
      core.write = async (statements, said) => {
        const outcome = await write(statements, said);
        return statements.length > 0 && ++writes === nth
          ? { kind: "refused", code: "busy", detail: "lost", retryAfterSeconds: 1 }
          : outcome;
      };
      await settle(lab);
      expect([await ownersOf(lab), await statesOf(lab)]).toEqual([[{ cell: "cell-b", epoch: 2 }], ["done"]]);
    },
  );

  test("a cell that restarts in the middle asks for what it holds, and is told", async () => {
    lab = await createMoveLab(1);
    await startCampaign(lab);
    for (let n = 0; n < 12; n++) {
      await tick(lab);
      for (const cell of [lab.cells.a, lab.cells.b]) {
        cell.restart();
        await cell.sync(lab.control);
        await cell.sync(lab.control);
      }
      lab.cells.b.admit(keyOf(0));
    }
    await lab.cells.b.sync(lab.control);
    expect([await ownersOf(lab), await statesOf(lab)]).toEqual([[{ cell: "cell-b", epoch: 2 }], ["done"]]);
  });
});
