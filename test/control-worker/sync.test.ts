import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { trimChanges, trimOutbox } from "../../control-worker/store/trim.ts";
import { type Answer, type Control, call, createControl } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let cell: Member;
let other: Member;

beforeEach(async () => {
  control = await createControl();
  cell = await createMember("cell-a");
  other = await createMember("cell-b");
  await addCell(control, cell, { hardLimit: 100_000 });
  await addCell(control, other, { hardLimit: 100_000 });
});

afterEach(() => control.close());

type Observed = { incarnation?: number; release?: string };
const sync = async (
  cursor: string | null,
  { incarnation = 1, release = "1.0.0" }: Observed = {},
  viewVersion = 0,
  at = cell,
): Promise<Answer> =>
  call(control.app, "POST", `/v1/cells/${at.id}/sync`, {
    token: await assertionOf(control, at),
    body: { observed: { incarnation, release, health: "ok" }, cursor, viewVersion },
  });

const assign = async (from: number, to: number, cellId: string) => {
  const numbers = JSON.stringify(Array.from({ length: to - from }, (_, index) => vinOf(from + index)));
  await control.database.sql(
    "insert into vehicles (vin, vin_key, market, updated_at) select value, substr('k' || value || 'xxxxxxxxxxxxxxxxxxxxxx', 1, 22), 'eu', 1 from json_each(?)",
    numbers,
  );
  await control.database.sql(
    "insert into assignments select vin, vin_key, ?, (select epoch_floor + 1 from meta), 'single', 1 from vehicles where vin in (select value from json_each(?))",
    cellId,
    numbers,
  );
};
const move = (n: number, cellId: string) =>
  control.database.sql(
    "update assignments set cell = ?, epoch = max(epoch, (select epoch_floor from meta)) + 1 where vin = ? and cell <> ?",
    cellId,
    vinOf(n),
    cellId,
  );

type Change = { vin: string; epoch: number; cell: string | null };

/** What a cell would hold: its table after snapshot and increments, followed until nothing is left. */
const follow = async (held: Map<string, Change>, cursor: string | null): Promise<string> => {
  const answer = await sync(cursor);
  expect(answer.status).toBe(200);
  const {
    changes,
    hasMore,
    isSnapshot,
    cursor: next,
  } = answer.json as { changes: Change[]; hasMore: boolean; isSnapshot: boolean; cursor: string };
  if (isSnapshot && cursor === null) held.clear();
  for (const change of changes) {
    if (change.cell === cell.id) held.set(change.vin, change);
    else held.delete(change.vin);
  }
  return hasMore ? follow(held, next) : next;
};

const owned = async () =>
  new Map((await control.database.sql("select vin, epoch from assignments where cell = 'cell-a'")).map(({ vin, epoch }) => [vin, epoch]));
const epochsOf = (held: Map<string, Change>) => new Map([...held].map(([vin, { epoch }]) => [vin, epoch]));

describe("sync", () => {
  test("a snapshot comes in bounded pages, and what changes meanwhile comes behind it", async () => {
    await assign(0, 2_500, "cell-a");
    const first = await sync(null);
    expect(first.json).toMatchObject({ isSnapshot: true, hasMore: true });
    expect(first.json["changes"]).toHaveLength(1_000);
    await move(5, "cell-b");
    await move(2_400, "cell-b");
    await assign(9_000, 9_001, "cell-a");
    const held = new Map<string, Change>((first.json["changes"] as Change[]).map((change) => [change.vin, change]));
    const cursor = await follow(held, String(first.json["cursor"]));
    await follow(held, cursor);
    expect(epochsOf(held)).toEqual(await owned());
  });

  test("increments tell both cells of a change of owner, with its epoch", async () => {
    await assign(0, 1, "cell-a");
    const cursor = String((await sync(null)).json["cursor"]);
    await move(0, "cell-b");
    const change = { vin: vinOf(0), epoch: 2, cell: "cell-b" };
    expect((await sync(cursor)).json["changes"]).toMatchObject([change]);
    const atOther = await sync(null, {}, 0, other);
    expect(atOther.json["changes"]).toMatchObject([change]);
  });

  test("any mixture of changes and syncs leaves the cell with exactly what it owns", { timeout: 30_000 }, async () => {
    await assign(0, 12, "cell-a");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("move" as const), n: fc.nat(11), to: fc.constantFrom("cell-a", "cell-b") }),
      fc.record({ kind: fc.constant("erase" as const), n: fc.nat(11) }),
      fc.constant({ kind: "sync" as const }),
      fc.constant({ kind: "restart" as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const held = new Map<string, Change>();
        let cursor: string | null = null;
        for (const action of steps) {
          if (action.kind === "move") await move(action.n, action.to);
          else if (action.kind === "erase") await control.database.sql("delete from assignments where vin = ?", vinOf(action.n));
          else cursor = await follow(held, action.kind === "restart" ? null : cursor);
        }
        cursor = await follow(held, cursor);
        await follow(held, cursor);
        expect(epochsOf(held)).toEqual(await owned());
        await control.database.sql(
          "insert or ignore into assignments select vin, vin_key, 'cell-a', (select epoch_floor + 1 from meta), 'single', 1 from vehicles",
        );
      }),
      { numRuns: 15 },
    );
  });

  test("a cursor of another timeline, or from the future, answers 410 resnapshot; a broken one 400", async () => {
    const cursor = String((await sync(null)).json["cursor"]);
    const future = Buffer.from(JSON.stringify([JSON.parse(Buffer.from(cursor, "base64url").toString())[0], 99])).toString("base64url");
    expect([(await sync(future)).status, (await sync("bm9uZQ")).status]).toEqual([410, 400]);
    await control.database.sql("update meta set timeline = 'another'");
    const answer = await sync(cursor);
    expect([answer.status, answer.json["code"]]).toEqual([410, "resnapshot"]);
    expect((await sync(null)).status).toBe(200);
  });

  test("what is no longer kept is not skipped: a cursor from before it answers 410, one from after it goes on", async () => {
    await assign(0, 10, "cell-a");
    const old = String((await sync(null)).json["cursor"]);
    await move(1, "cell-b");
    await move(1, "cell-a");
    const recent = String((await sync(old)).json["cursor"]);
    await move(2, "cell-b");
    expect((await control.core.write([trimChanges(2)])).kind).toBe("written");
    expect((await sync(old)).json["code"]).toBe("resnapshot");
    expect((await sync(recent)).json["changes"]).toMatchObject([{ vin: vinOf(2), cell: "cell-b" }]);
  });

  test("the outbox keeps a day of what was published, and everything that was not", async () => {
    await control.core.publish();
    await assign(0, 4, "cell-a");
    await control.core.publish();
    await assign(10, 12, "cell-a");
    await control.core.write([trimOutbox(control.clock.now + 1)]);
    expect(await control.database.sql("select count(*) as n, count(published_at) as done from outbox")).toEqual([{ n: 2, done: 0 }]);
  });

  test("a sync with nothing new writes nothing", async () => {
    const first = await sync(null, { incarnation: 4, release: "2.0.0" });
    await control.core.publish();
    const stateOf = async () =>
      JSON.stringify([await control.database.sql("select * from cells"), await control.database.sql("select batch, term from leases")]);
    const before = await stateOf();
    for (let round = 0; round < 5; round++) {
      expect((await sync(String(first.json["cursor"]), { incarnation: 4, release: "2.0.0" })).status).toBe(200);
    }
    expect(await stateOf()).toBe(before);
    expect((await call(control.app, "GET", "/v1/cells/cell-a")).json).toMatchObject({ incarnation: 4, release: "2.0.0", version: 1 });
  });

  test("a lower incarnation is quarantined: whether the higher one was seen by this writer or the one before", async () => {
    expect((await sync(null, { incarnation: 5 })).status).toBe(200);
    const clone = await sync(null, { incarnation: 4 });
    expect([clone.status, clone.json["code"]]).toEqual([409, "conflict"]);
    expect(clone.json["detail"]).toContain("incarnation 4 is lower than 5");
    expect((await sync(null, { incarnation: 5 })).status).toBe(200);
    const restarted = await createControl({ database: control.database });
    const again = await call(restarted.app, "POST", "/v1/cells/cell-a/sync", {
      token: await assertionOf(restarted, cell),
      body: { observed: { incarnation: 4, release: "1", health: "ok" }, cursor: null },
    });
    expect(again.status).toBe(409);
    restarted.close();
  });

  test("the view comes with a new topology version only, and names keys, endpoints and this cell's pairings", async () => {
    const pop = await createMember("pop-1");
    await addPop(control, pop);
    await control.database.sql("update cells set standby = 'cell-b' where id = 'cell-a'");
    expect((await sync(null)).json["view"]).toBeUndefined();
    await control.core.publish();
    const view = (await sync(null)).json["view"] as { version: number };
    expect(view).toMatchObject({ popKeys: { "pop-1": [pop.publicKey] }, standby: "cell-b", standbyFor: [], failedOver: [] });
    expect((await sync(null, {}, view.version)).json["view"]).toBeUndefined();
    expect((await sync(null, {}, 0, other)).json["view"]).toMatchObject({ standby: null, standbyFor: ["cell-a"] });
  });

  test("desired state and limits follow what operators decide", async () => {
    await call(control.app, "PATCH", "/v1/cells/cell-a", { body: { state: "draining", capacity: { hardLimit: 7 } } });
    expect((await sync(null)).json["desired"]).toEqual({ state: "draining", release: null, limits: { hardLimit: 7 }, probe: [] });
  });

  test("a control-worker that is not the writer sends the cell on: it could not tell who was heard of", async () => {
    await sync(null);
    const standby = await createControl({ database: control.database, holder: "instance-b" });
    const answer = await call(standby.app, "POST", "/v1/cells/cell-a/sync", {
      token: await assertionOf(standby, cell),
      body: { observed: { incarnation: 1, release: "1", health: "ok" }, cursor: null },
    });
    expect([answer.status, answer.json["code"]]).toEqual([503, "not_the_writer"]);
    standby.close();
  });
});
