import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CellId } from "#schema/domain/cell.ts";
import type { RouteRecord } from "#schema/domain/route.ts";
import { vinKeyOfMac } from "#schema/domain/vin-key.ts";
import type { Lease } from "../../router-worker/store/port.ts";
import { createReplicaTable, SHARDS } from "../../router-worker/store/replica/replica-table.ts";

const keyOf = (name: string | number) => vinKeyOfMac(createHash("sha256").update(String(name)).digest());
const cell = (name: string) => name as CellId;

describe("replica table", () => {
  test("holds what a Map holds under any sequence of puts, deletes and resnapshots; a lease that holds means the same record", () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("put" as const),
          key: fc.nat(60),
          epoch: fc.integer({ min: 1, max: 2 ** 40 }),
          cell: fc.nat(3),
        }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("snapshot" as const), keys: fc.uniqueArray(fc.nat(60), { maxLength: 30 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = createReplicaTable();
        const model = new Map<number, { cell: CellId; epoch: number }>();
        const leased = new Map<number, { lease: Lease; record: RouteRecord | null }>();
        for (const next of steps) {
          for (let key = 0; key <= 60; key++) leased.set(key, { lease: table.leaseOf(keyOf(key)), record: table.get(keyOf(key)) });
          if (next.kind === "put") {
            const record = { cell: cell(`cell-${next.cell}`), epoch: next.epoch };
            table.put(keyOf(next.key), record);
            model.set(next.key, record);
          } else if (next.kind === "delete") {
            table.delete(keyOf(next.key));
            model.delete(next.key);
          } else {
            table.beginSnapshot();
            model.clear();
            for (const key of next.keys) {
              table.put(keyOf(key), { cell: cell("cell-s"), epoch: 7 });
              model.set(key, { cell: cell("cell-s"), epoch: 7 });
            }
            table.endSnapshot();
          }
          for (const [key, { lease, record }] of leased) if (lease.untilMs > 0) expect(table.get(keyOf(key))).toEqual(record);
        }
        expect(table.size()).toBe(model.size);
        for (let key = 0; key <= 60; key++) expect(table.get(keyOf(key))).toEqual(model.get(key) ?? null);
      }),
    );
  });

  test("a resnapshot that was broken off leaves nothing behind in the next", () => {
    const table = createReplicaTable();
    const record = { cell: cell("cell-a"), epoch: 1 };
    table.put(keyOf("before"), record);
    table.beginSnapshot();
    table.put(keyOf("broken off"), record);
    table.beginSnapshot();
    table.put(keyOf("kept"), record);
    table.endSnapshot();
    expect(["before", "broken off", "kept"].map((name) => table.get(keyOf(name)))).toEqual([null, null, record]);
  });

  test("grows from nothing to 50,000 vehicles and visits each once", () => {
    const table = createReplicaTable();
    for (let i = 0; i < 50_000; i++) table.put(keyOf(i), { cell: cell(`cell-${i % 7}`), epoch: i + 1 });
    let epochs = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      table.eachIn(shard, (_key, epoch) => {
        epochs += epoch;
      });
    }
    expect(table.size()).toBe(50_000);
    expect(epochs).toBe((50_000 * 50_001) / 2);
    expect(table.get(keyOf(31_337))).toEqual({ cell: "cell-5", epoch: 31_338 });
    expect(table.get(keyOf("absent"))).toBeNull();
  });
});
