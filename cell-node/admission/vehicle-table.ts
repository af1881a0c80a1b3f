import type { Vin } from "#schema/domain/vin.ts";
import type { Changes, FactName, Store } from "../store/store.ts";
import { isGone, parseVehicleRow, toVehicleRow, type Vehicle } from "./vehicle.ts";

export type VehicleUpdate = {
  readonly set: readonly Vehicle[];
  /** Vehicles that are this cell's no more; their data stays. */
  readonly drop: readonly Vehicle[];
  /** Vehicles whose every trace goes. */
  readonly erase: readonly Vehicle[];
  readonly facts?: readonly (readonly [FactName, string])[];
  /** Written in the same transaction. */
  readonly with?: Omit<Changes, "vehicles" | "erased" | "facts">;
};

/** All vehicle records, in memory for reading and on disk before anyone is told. */
export type VehicleTable = {
  get(vin: Vin): Vehicle | undefined;
  byNumber(number: number): Vehicle | undefined;
  all(): Iterable<Vehicle>;
  readonly size: number;
  /** The number under which the store knows the vehicle: the one it had, or a new one. */
  numberFor(vin: Vin): number;
  /** Seen by readers at once, on disk when it resolves; taken back when the disk refuses. */
  update(update: VehicleUpdate): Promise<void>;
  /** Resolves when the record of this vehicle as read now is on disk. */
  settled(vin: Vin): Promise<void>;
};

/** Loads the table. Memory changes first and in call order, so that no two updates start from the same epoch (invariant I2). */
export const loadVehicleTable = async (store: Store): Promise<VehicleTable> => {
  const vehicles = new Map<Vin, Vehicle>();
  const goneNumbers = new Map<string, number>();
  for (const row of await store.vehicles()) {
    if (isGone(row)) {
      goneNumbers.set(row.vin, row.number);
      continue;
    }
    const vehicle = parseVehicleRow(row);
    vehicles.set(vehicle.vin, vehicle);
  }
  let lastNumber = await store.lastVehicleNumber();
  const unsettled = new Map<Vin, Promise<void>>();

  /** A number is one VIN's for ever. */
  const vins = new Map([...vehicles.values()].map(({ number, vin }) => [number, vin]));

  const put = (vin: Vin, vehicle: Vehicle | undefined): void => {
    if (vehicle === undefined) {
      vehicles.delete(vin);
      return;
    }
    vehicles.set(vin, vehicle);
    vins.set(vehicle.number, vin);
  };

  return {
    get: (vin) => vehicles.get(vin),
    byNumber(number) {
      const vin = vins.get(number);
      return vin === undefined ? undefined : vehicles.get(vin);
    },
    all: () => vehicles.values(),
    get size() {
      return vehicles.size;
    },
    numberFor(vin) {
      const number = vehicles.get(vin)?.number ?? goneNumbers.get(vin);
      return number ?? ++lastNumber;
    },
    async update({ set, drop, erase, facts = [], with: more }) {
      const changes = [
        ...set.map((vehicle) => [vehicle.vin, vehicle] as const),
        ...[...drop, ...erase].map(({ vin }) => [vin, undefined] as const),
      ];
      const undo = changes.map(([vin, next]) => ({ vin, next, before: vehicles.get(vin) }));
      for (const [vin, next] of changes) put(vin, next);
      for (const { vin, number } of drop) goneNumbers.set(vin, number);
      for (const { vin } of erase) goneNumbers.delete(vin);
      const saved = store.save({
        vehicles: [...set.map(toVehicleRow), ...drop.map((vehicle) => ({ ...toVehicleRow(vehicle), state: "gone" }))],
        erased: erase.map(({ number }) => number),
        facts,
        ...more,
      });
      for (const [vin] of changes) unsettled.set(vin, saved);
      try {
        await saved;
      } catch (error) {
        for (const { vin, next, before } of undo) if (vehicles.get(vin) === next) put(vin, before);
        throw error;
      } finally {
        for (const [vin] of changes) if (unsettled.get(vin) === saved) unsettled.delete(vin);
      }
    },
    settled: (vin) => unsettled.get(vin) ?? Promise.resolve(),
  };
};
