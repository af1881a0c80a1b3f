import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../../cell-node/store/database.ts";
import { type Engine, StoreError, startEngine } from "../../../cell-node/store/engine.ts";
import { createStore, type VehicleRow } from "../../../cell-node/store/store.ts";
import { newFolder, removeFolder } from "../support/cell.ts";

let folder: string;
let path: string;
let engines: Engine[];
beforeEach(async () => {
  folder = await newFolder();
  path = join(folder, "cell.db");
  engines = [];
});
afterEach(async () => {
  await Promise.allSettled(engines.map((engine) => engine.close()));
  await removeFolder(folder);
});

const open = async () => {
  const batches: number[] = [];
  const engine = await startEngine({ path, onFatal: () => undefined, onCommit: (rows) => batches.push(rows) });
  engines.push(engine);
  return { engine, store: createStore(engine), batches };
};

const message = (id: string, receivedAt = 1, vehicle = 1) => ({ vehicle, id, receivedAt, payload: `{"id":"${id}"}` });
const all = { vehicle: 1, from: 0, to: 1_000_000, after: { receivedAt: -1, sequence: -1 }, limit: 10_000 };
const vehicleRow = (number: number, epoch: number): VehicleRow => ({
  ...{ number, vin: `WVWZZZ1JZXW00000${number}`, vinKey: "a".repeat(22), state: "owned", epoch },
  ...{ otherCell: null, isProvisional: true, since: 5 },
});

describe("the store", () => {
  test("messages that arrive during a commit share the next one", async () => {
    const { store, batches } = await open();
    await Promise.all(Array.from({ length: 500 }, (_, n) => store.storeTelemetry(message(`m${n}`))));
    expect(batches.reduce((sum, rows) => sum + rows, 0)).toBe(500);
    expect(batches.length).toBeLessThan(10);
  });

  test("an id is stored once, before and after it is indexed, and across a restart", async () => {
    const database = openDatabase(path);
    const rows = ["a", "b", "a", "c", "b"].map((id, n) => JSON.stringify([1, id, n, `{"n":${n}}`]));
    const ids = () => database.read("telemetry", [1, 0, 100, -1, -1, 100]).map((row) => (row as { payload: string }).payload);
    database.commit([["telemetry", `[${rows.join(",")}]`]]);
    const once = ['{"n":0}', '{"n":1}', '{"n":3}'];
    expect(ids()).toEqual(once);
    database.indexSome(2);
    expect(ids()).toEqual(once);
    database.indexSome(100);
    expect([ids(), database.unindexed()]).toEqual([once, 0]);
    database.commit([["telemetry", '[[1,"c",9,"{}"],[1,"d",10,"{}"]]']]);
    expect(ids()).toEqual([...once, "{}"]);
    database.close();
    const again = openDatabase(path);
    expect(again.unindexed()).toBeGreaterThan(0);
    again.indexSome(100);
    expect(again.read("telemetry", [1, 0, 100, -1, -1, 100])).toHaveLength(4);
    again.close();
  });

  test("a page ends where the next begins, though some of it is not indexed yet", async () => {
    const database = openDatabase(path);
    const rows = Array.from({ length: 20 }, (_, n) => JSON.stringify([1, `m${n}`, Math.floor(n / 3), "{}"]));
    database.commit([["telemetry", `[${rows.join(",")}]`]]);
    database.indexSome(11);
    const seen: string[] = [];
    let after = [-1, -1];
    for (;;) {
      const page = database.read("telemetry", [1, 0, 100, ...after, 6]) as { id: string; receivedAt: number; sequence: number }[];
      const last = page.at(-1);
      if (last === undefined) break;
      seen.push(...page.map(({ id }) => id));
      after = [last.receivedAt, last.sequence];
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => `m${n}`));
    database.close();
  });

  test("what one call saves is one transaction: all of it or nothing", async () => {
    const { store } = await open();
    await store.save({ vehicles: [vehicleRow(1, 3)], facts: [["cursor", "c1"]] });
    const broken = { ...vehicleRow(2, 1), vin: null } as unknown as VehicleRow;
    await expect(store.save({ vehicles: [vehicleRow(1, 4), broken], facts: [["cursor", "c2"]] })).rejects.toBeInstanceOf(StoreError);
    expect(await store.vehicles()).toEqual([vehicleRow(1, 3)]);
    expect((await store.facts()).get("cursor")).toBe("c1");
    await store.save({ vehicles: [vehicleRow(1, 5)] });
    expect(await store.vehicles()).toEqual([vehicleRow(1, 5)]);
  });

  test("erasing a vehicle leaves nothing of it, and its number is not used again", async () => {
    const { store } = await open();
    await store.save({ vehicles: [vehicleRow(1, 3), vehicleRow(2, 3)] });
    await store.storeTelemetry(message("a", 1, 2));
    await store.save({
      uplinks: [["events", message("e", 1, 2)]],
      misfits: [{ ...message("x", 1, 2), topic: "t", reason: "r", payload: Buffer.from([255]) }],
    });
    await store.save({ erased: [2] });
    expect(await store.vehicles()).toEqual([vehicleRow(1, 3)]);
    expect(await store.telemetry({ ...all, vehicle: 2 })).toEqual([]);
    expect(await store.lastVehicleNumber()).toBe(2);
    await store.storeTelemetry(message("later", 2, 1));
    expect((await store.telemetry(all)).map(({ id }) => id)).toEqual(["later"]);
  });

  test("I7: after SQLITE_BUSY the connection is thrown away; what was confirmed later is there", async () => {
    const { store } = await open();
    await store.storeTelemetry(message("before"));
    const intruder = new Database(path);
    intruder.exec("begin immediate");
    const refused = store.storeTelemetry(message("during")).then(
      () => "stored",
      (error: StoreError) => error.code,
    );
    expect(await refused).toMatch(/^SQLITE_BUSY/);
    intruder.exec("rollback");
    intruder.close();
    await store.storeTelemetry(message("after"));
    expect((await store.telemetry(all)).map(({ id }) => id)).toEqual(["before", "after"]);
  }, 20_000);

  test("a file of a newer release is refused, by name, and not touched", async () => {
    const { engine } = await open();
    await engine.close();
    const database = new Database(path);
    database.exec("insert into __drizzle_migrations (hash, created_at) values ('of the future', 1)");
    database.exec("pragma wal_checkpoint(truncate)");
    database.close();
    const before = await readFile(path);
    await expect(startEngine({ path, onFatal: () => undefined })).rejects.toThrow(/newer release/);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test("a file that is no database is refused", async () => {
    await writeFile(path, "this is not a database, and it is longer than a header".repeat(100));
    await expect(startEngine({ path, onFatal: () => undefined })).rejects.toThrow(/not a database/);
  });

  test("a closed store refuses", async () => {
    const { engine, store } = await open();
    await engine.close();
    await expect(store.storeTelemetry(message("late"))).rejects.toThrow(/closed/);
  });
});
