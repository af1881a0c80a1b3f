import type { Client } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Candidate } from "../../control-worker/ledger/port.ts";
import { statement } from "../../control-worker/store/statement.ts";
import { type Control, createControl } from "./support/control.ts";
import { createDatabase, type TestDatabase } from "./support/database.ts";
import { addCell, createMember, vinOf } from "./support/fleet.ts";

let database: TestDatabase;

beforeEach(async () => {
  database = await createDatabase();
});

afterEach(() => database.remove());

const instance = (holder: string, wrap?: (client: Client) => Client): Promise<Control> =>
  createControl({ database, holder, ...(wrap && { wrap }) });

const candidate = (n: number): Candidate => {
  const vin = vinOf(n) as Vin;
  const vinKey = `key-${n}`.padEnd(22, "x") as VinKey;
  const attributes = { usageRegion: null, model: null, tier: null, fleet: null, tenant: null };
  return { vin, vinKey, vehicle: { vin, vinKey, market: "eu", zone: null, ...attributes } };
};

const setRegion = (value: string) => statement("update cells set region = ? where id = 'cell-a'", value);
const readRegion = async () => (await database.sql("select region from cells where id = 'cell-a'"))[0]?.["region"];
const readTerm = async () => (await database.sql("select term from leases"))[0]?.["term"];
const lapse = () => database.sql("update leases set expires_at = 0");

describe("the writer's lease", () => {
  let holder: Control;
  beforeEach(async () => {
    holder = await instance("a");
    await addCell(holder, await createMember("cell-a"));
    expect((await holder.core.write([setRegion("first")])).kind).toBe("written");
  });

  test("another instance writes nothing until the lease has lapsed, then takes it over at the next term", async () => {
    const other = await instance("b");
    expect(await other.core.write([setRegion("second")])).toMatchObject({ kind: "refused", code: "not_the_writer" });
    await lapse();
    expect((await other.core.write([setRegion("second")])).kind).toBe("written");
    expect([await readRegion(), await readTerm()]).toEqual(["second", 2]);
  });

  test("I1: a holder that was frozen past its lease changes nothing when it wakes up", async () => {
    const other = await instance("b");
    await lapse();
    await other.core.write([setRegion("second")]);
    const woken = await Promise.all([holder.core.write([setRegion("late")]), holder.core.place([candidate(1)], "edge")]);
    expect(woken.map((outcome) => outcome.kind === "refused" && outcome.code)).toEqual(["not_the_writer", "not_the_writer"]);
    expect(await readRegion()).toBe("second");
    expect(await database.sql("select count(*) as n from assignments")).toEqual([{ n: 0 }]);
  });

  test("a restarted instance takes its own lease back at once, and shuts its former self out", async () => {
    const restarted = await instance("a");
    expect((await restarted.core.write([setRegion("after")])).kind).toBe("written");
    expect(await readTerm()).toBe(2);
    expect(await holder.core.write([setRegion("before")])).toMatchObject({ kind: "refused", code: "not_the_writer" });
    expect(await readRegion()).toBe("after");
  });

  test("each commit renews the lease by the database's own clock, whatever the instance's says", async () => {
    holder.clock.now -= 300_000;
    await lapse();
    await holder.core.write([]);
    const [lease] = await database.sql("select expires_at - cast(unixepoch('subsec') * 1000 as integer) as left_ms from leases");
    expect(lease?.["left_ms"]).toBeGreaterThan(4_000);
    expect(lease?.["left_ms"]).toBeLessThanOrEqual(5_000);
  });
});

describe("gathering", () => {
  test.each([
    ["breaks a constraint", "insert into assertions (holds) values (null)", "conflict"],
    ["is no SQL for this database", "select nonsense", "internal"],
    ["feeds it broken JSON", "select value from json_each('{')", "internal"],
  ])("one poisoned write that %s fails alone; everything gathered with it is stored", async (_, sql, code) => {
    const { core, ...control } = await instance("a");
    await addCell({ ...control, core }, await createMember("cell-a"));
    const outcomes = await Promise.all([
      core.write([setRegion("kept")]),
      core.write([statement("update cells set release = 'undone' where id = 'cell-a'"), statement(sql)]),
      core.place([candidate(1), candidate(2)], "edge"),
      core.write([statement("update cells set weight = 7 where id = 'cell-a'")]),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["written", "refused", "decided", "written"]);
    expect(outcomes[1]).toMatchObject({ code });
    expect(await database.sql("select region, release, weight, assigned from cells")).toEqual([
      { region: "kept", release: "1.0.0", weight: 7, assigned: 2 },
    ]);
  });

  test("the results of a write are its own, in its own order, whatever was gathered with it", async () => {
    const { core, ...control } = await instance("a");
    await addCell({ ...control, core }, await createMember("cell-a"));
    const select = (n: number) => statement(`select ${n} as n`);
    const outcomes = await Promise.all([
      core.write([]),
      core.place([candidate(1)], "edge"),
      core.write([select(1), select(2)]),
      core.write([select(3)]),
    ]);
    const rows = outcomes.map((outcome) => (outcome.kind === "written" ? outcome.results?.map(({ rows: [row] }) => row?.["n"]) : null));
    expect(rows).toEqual([[], null, [1, 2], [3]]);
  });
});

describe("a connection that breaks around a commit", () => {
  /** Fails the n-th write batch of all clients, before or after it was executed. */
  const breaking = (nth: number, when: "before" | "after") => {
    let writes = 0;
    return (client: Client): Client =>
      new Proxy(client, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (name !== "batch" || typeof value !== "function") return typeof value === "function" ? value.bind(target) : value;
          return async (statements: Parameters<Client["batch"]>[0], mode: "read" | "write") => {
            const isBroken = mode === "write" && ++writes === nth;
            if (isBroken && when === "before") throw new TypeError("network connection lost");
            const results = await target.batch(statements, mode);
            if (isBroken) throw new TypeError("network connection lost");
            return results;
          };
        },
      });
  };

  test.each([
    ["before", 2],
    ["after", 2],
    ["before", 1],
    ["after", 1],
  ] as const)("I1: lost %s write batch %i was executed, each placement happens once and is answered as it is", async (when, nth) => {
    const control = await instance("a", breaking(nth, when));
    await addCell(control, await createMember("cell-a"), { hardLimit: 3 });
    const first = await control.core.place([1, 2, 3, 4].map(candidate), "edge");
    const again = first.kind === "refused" ? await control.core.place([1, 2, 3, 4].map(candidate), "edge") : first;
    const kinds = again.kind === "decided" ? again.outcomes.map(({ kind }) => kind === "refused") : [];
    expect(kinds).toEqual([false, false, false, true]);
    expect(await database.sql("select count(*) as n, max(epoch) as epoch from assignments")).toEqual([{ n: 3, epoch: 1 }]);
    expect(await database.sql("select assigned from cells")).toEqual([{ assigned: 3 }]);
  });

  test("a write that was committed but not answered says so instead of happening twice", async () => {
    const control = await instance("a", breaking(2, "after"));
    await addCell(control, await createMember("cell-a"));
    const outcome = await control.core.write([statement("update cells set weight = weight + 1 where id = 'cell-a'")]);
    expect(outcome).toEqual({ kind: "written", results: null });
    expect(await database.sql("select weight from cells")).toEqual([{ weight: 2 }]);
  });

  test("a write that was not committed is repeated once by itself", async () => {
    const control = await instance("a", breaking(2, "before"));
    await addCell(control, await createMember("cell-a"));
    expect((await control.core.write([statement("update cells set weight = weight + 1 where id = 'cell-a'")])).kind).toBe("written");
    expect(await database.sql("select weight from cells")).toEqual([{ weight: 2 }]);
  });

  test("a database that stays away is database_unavailable, and when it returns everything goes on", async () => {
    let isAway = true;
    const away = (client: Client): Client =>
      new Proxy(client, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) =>
            isAway && name !== "close" ? Promise.reject(new TypeError("fetch failed")) : value.apply(target, args);
        },
      });
    const control = await instance("a", away);
    await addCell(control, await createMember("cell-a"));
    expect(await control.core.place([candidate(1)], "edge")).toMatchObject({ kind: "refused", code: "database_unavailable" });
    isAway = false;
    expect(await control.core.place([candidate(1)], "edge")).toMatchObject({ kind: "decided", outcomes: [{ kind: "placed" }] });
  });
});
