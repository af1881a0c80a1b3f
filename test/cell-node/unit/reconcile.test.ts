import { describe, expect, test } from "vitest";
import type { VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Vehicle } from "../../../cell-node/admission/vehicle.ts";
import { reconcile } from "../../../cell-node/sync/reconcile.ts";
import { OTHER, SELF } from "../support/cell.ts";
import { assigned, newVehicle, type TestVehicle } from "../support/vehicles.ts";

const SENT_AT = 1_000;
const NOW = 50_000;

const holding = (vehicle: TestVehicle, record: VehicleRecord, provisionalSince: number | null = null): Vehicle => ({
  ...{ number: 7, vin: vehicle.vin, vinKey: vehicle.vinKey, record, provisionalSince, since: 40_000 },
});

const run = (
  known: readonly Vehicle[],
  changes: readonly ReturnType<typeof assigned>[],
  more: { isSnapshot?: boolean; isCaughtUp?: boolean } = {},
) => {
  const table = new Map<Vin, Vehicle>(known.map((vehicle) => [vehicle.vin, vehicle]));
  return reconcile({
    ...{ self: SELF, changes, isSnapshot: false, isCaughtUp: true, sentAtMs: SENT_AT, nowMs: NOW },
    ...{
      find: (vin: Vin) => table.get(vin),
      all: () => table.values(),
      markOf: () => null,
      numberFor: (vin: Vin) => table.get(vin)?.number ?? 8,
    },
    ...more,
  });
};

const ownedAt = (epoch: number): VehicleRecord => ({ state: "owned", epoch });
const movedAt = (epoch: number, movedTo: CellId = OTHER): VehicleRecord => ({ state: "moved", epoch, movedTo });

type Case = readonly [
  name: string,
  known: readonly [VehicleRecord, (number | null)?] | null,
  change: readonly [CellId | null, number],
  isCaughtUp: boolean,
  after: VehicleRecord | "unchanged" | "erased",
];

const CASES: readonly Case[] = [
  ["a new vehicle of this cell", null, [SELF, 3], true, ownedAt(3)],
  ["a vehicle that went elsewhere before it was known here", null, [OTHER, 3], true, movedAt(3)],
  ["an erased vehicle nobody knew", null, [null, 3], true, "unchanged"],
  ["the same again", [ownedAt(3)], [SELF, 3], true, "unchanged"],
  ["a newer epoch elsewhere", [ownedAt(3)], [OTHER, 4], true, movedAt(4)],
  ["a newer epoch here", [movedAt(3)], [SELF, 4], true, ownedAt(4)],
  ["I2: an older epoch elsewhere", [ownedAt(3)], [OTHER, 2], true, "unchanged"],
  ["I2: an older epoch here", [movedAt(3)], [SELF, 2], true, "unchanged"],
  ["confirmation of an adopted epoch", [ownedAt(5), 10], [SELF, 5], true, ownedAt(5)],
  ["an adopted epoch that control never issued, once the feed has caught up", [ownedAt(9), 10], [OTHER, 5], true, movedAt(5)],
  ["an adopted epoch, while more of the feed waits", [ownedAt(9), 10], [OTHER, 5], false, "unchanged"],
  ["an epoch adopted after the sync was sent", [ownedAt(9), SENT_AT + 1], [OTHER, 5], true, "unchanged"],
  ["a lock at the same epoch", [{ state: "locked", epoch: 3 }], [SELF, 3], true, "unchanged"],
  ["a lock that a higher epoch ends", [{ state: "locked", epoch: 3 }], [OTHER, 4], true, movedAt(4)],
  ["erasure", [ownedAt(3)], [null, 3], true, "erased"],
];

describe("what the feed changes", () => {
  test.each(CASES)("%s", async (_, known, [cell, epoch], isCaughtUp, after) => {
    const vehicle = await newVehicle();
    const table = known === null ? [] : [holding(vehicle, ...known)];
    const update = run(table, [assigned(vehicle, cell, epoch)], { isCaughtUp });
    expect(update.drop).toEqual([]);
    expect(update.erase).toEqual(after === "erased" ? table : []);
    const expected = typeof after === "string" ? [] : [{ record: after, provisionalSince: null }];
    expect(update.set).toMatchObject(expected);
    expect(update.set).toHaveLength(expected.length);
  });

  test("the last word on a vehicle wins within a page", async () => {
    const vehicle = await newVehicle();
    const update = run([holding(vehicle, ownedAt(4), 10)], [assigned(vehicle, OTHER, 5), assigned(vehicle, SELF, 6)]);
    expect(update.set.map(({ record }) => record)).toEqual([ownedAt(6)]);
  });

  test("owned since then, unless it was owned all along", async () => {
    const [fresh, back, kept] = [await newVehicle(), await newVehicle(), await newVehicle()];
    const update = run(
      [holding(back, movedAt(2)), holding(kept, ownedAt(2))],
      [fresh, back, kept].map((vehicle) => assigned(vehicle, SELF, 3)),
    );
    expect(update.set.map(({ since }) => since)).toEqual([NOW, NOW, 40_000]);
  });
});

describe("the end of a snapshot", () => {
  test("own records that it does not name are dropped; moved and provisional ones stay", async () => {
    const [named, unnamed, moved, provisional] = [await newVehicle(), await newVehicle(), await newVehicle(), await newVehicle()];
    const known = [
      holding(named, ownedAt(1)),
      holding(unnamed, ownedAt(1)),
      holding(moved, movedAt(2)),
      holding(provisional, ownedAt(4), 10),
    ];
    const update = run(known, [assigned(named, SELF, 1)], { isSnapshot: true });
    expect(update.drop.map(({ vin }) => vin)).toEqual([unnamed.vin]);
    expect([update.set, update.erase]).toEqual([[], []]);
  });
});
