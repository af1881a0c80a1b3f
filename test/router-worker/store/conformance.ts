import { afterAll, describe, expect, test } from "vitest";
import type { RouteRecord } from "#schema/domain/route.ts";
import type { Lookup, RouteStore, Vehicle } from "../../../router-worker/store/port.ts";
import { cellId, freshVin, vehicleOf } from "../support/world.ts";

export type StoreHarness = {
  readonly store: RouteStore;
  /** Puts a record where the store reads from: published, as control's publisher does. */
  publish(vehicle: Vehicle, record: RouteRecord): Promise<void>;
  publishTopology(text: string): Promise<void>;
  /** Long enough for whatever was published to be read, were it asked for. */
  pass(): Promise<void>;
  breakUpstream(): Promise<void>;
};

const record = (cell: string, epoch: number): RouteRecord => ({ cell: cellId(cell), epoch });
const recordOf = (lookup: Lookup): RouteRecord | string => (lookup.kind === "found" ? lookup.record : lookup.kind);

/** What every route store promises, whatever is behind it. */
export const describeRouteStore = (
  name: string,
  start: () => Promise<StoreHarness>,
  stop: () => Promise<void> = async () => undefined,
): void => {
  describe(`RouteStore: ${name}`, () => {
    afterAll(stop);

    /** Finds, lets time pass, finds again: whatever is read behind the first answer is in the second. */
    const findLater = async ({ store, pass }: StoreHarness, vehicle: Vehicle): Promise<Lookup> => {
      await pass();
      await store.find(vehicle);
      await pass();
      return store.find(vehicle);
    };

    test("a vehicle that nobody published is missing", async () => {
      const harness = await start();
      expect(await harness.store.find(await vehicleOf(freshVin()))).toEqual({ kind: "missing" });
    });

    test("a published record is found, with its age and origin", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      await harness.publish(vehicle, record("cell-a", 4));
      const lookup = await harness.store.find(vehicle);
      expect(lookup).toMatchObject({ kind: "found", record: record("cell-a", 4), learntAgoMs: null, isVanished: false });
      expect(lookup.kind === "found" && lookup.ageMs).toBeGreaterThanOrEqual(0);
    });

    test("control's word is known at once, whatever is published, and even if it is lower", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      await harness.publish(vehicle, record("cell-a", 4));
      await harness.store.find(vehicle);
      harness.store.learn(vehicle, record("cell-b", 3));
      const lookup = await harness.store.find(vehicle);
      expect(lookup).toMatchObject({ record: record("cell-b", 3) });
      expect(lookup.kind === "found" && lookup.learntAgoMs).toBeLessThan(1_000);
    });

    test("a newly placed vehicle is not hidden by the miss before it", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      await harness.store.find(vehicle);
      harness.store.learn(vehicle, record("cell-a", 1));
      expect(recordOf(await findLater(harness, vehicle))).toEqual(record("cell-a", 1));
    });

    test("I2: a copy that is published late and older does not undo what control said", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      harness.store.learn(vehicle, record("cell-b", 5));
      await harness.publish(vehicle, record("cell-a", 4));
      expect(recordOf(await findLater(harness, vehicle))).toEqual(record("cell-b", 5));
    });

    test("I2: a newer epoch that is published replaces what control said", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      harness.store.learn(vehicle, record("cell-b", 5));
      await harness.publish(vehicle, record("cell-c", 6));
      expect(recordOf(await findLater(harness, vehicle))).toEqual(record("cell-c", 6));
    });

    test("a vehicle that control does not know is forgotten", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      harness.store.learn(vehicle, record("cell-b", 5));
      harness.store.learn(vehicle, null);
      expect(await harness.store.find(vehicle)).toEqual({ kind: "missing" });
    });

    test("I4: what was found once is found while everything behind the store is broken", async () => {
      const harness = await start();
      const vehicle = await vehicleOf(freshVin());
      await harness.publish(vehicle, record("cell-a", 4));
      await harness.store.find(vehicle);
      await harness.breakUpstream();
      for (let turn = 0; turn < 20; turn++) expect(recordOf(await findLater(harness, vehicle))).toEqual(record("cell-a", 4));
    });

    test("documents are read as they were published, and a missing one is said to be missing", async () => {
      const harness = await start();
      expect(await harness.store.readDocument("topology-canary")).toEqual({ kind: "missing" });
      await harness.publishTopology('{"version":9}');
      expect(await harness.store.readDocument("topology")).toEqual({ kind: "found", text: '{"version":9}' });
    });
  });
};
