import type { Holding, MoveMark } from "#schema/domain/cell-move.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { sinceAfter, type Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import type { Clock } from "../clock.ts";
import type { Changes } from "../store/store.ts";
import { type KeptMark, type Marks, toMarkRow } from "./marks.ts";

/** What goes to disk beside record and mark, in their transaction. */
export type Beside = {
  readonly kept?: Pick<KeptMark, "lockedAt" | "session">;
  readonly since?: number;
  /** Rows of the vehicle of this number. */
  readonly changes?: (vehicle: number) => Changes;
};

/** The vehicles with their marks, read and changed together. */
export type Holdings = {
  of(vin: Vin): Holding;
  /** Seen by readers at once, on disk when it resolves with the vehicle; null when there is no record to keep. */
  put(identity: { readonly vin: Vin; readonly vinKey: VinKey }, holding: Holding, beside?: Beside): Promise<Vehicle | null>;
  /** Every vehicle that is in the middle of a move here. */
  held(): { readonly vehicle: Vehicle; readonly mark: MoveMark }[];
};

const NOTHING_KEPT = { lockedAt: null, session: [] };

export const createHoldings = ({
  table,
  marks,
  clock,
}: {
  readonly table: VehicleTable;
  readonly marks: Marks;
  readonly clock: Clock;
}): Holdings => ({
  of(vin) {
    const vehicle = table.get(vin);
    return vehicle === undefined ? { record: null, mark: null } : { record: vehicle.record, mark: marks.get(vehicle.number) };
  },
  async put({ vin, vinKey }, { record, mark }, { kept = NOTHING_KEPT, since, changes } = {}) {
    if (record === null) return null;
    const known = table.get(vin);
    const number = known?.number ?? table.numberFor(vin);
    const before = marks.get(number);
    const next: KeptMark | null = mark === null ? null : { ...mark, ...kept };
    const vehicle: Vehicle = {
      ...{ number, vin, vinKey, record },
      provisionalSince: known?.record === record ? known.provisionalSince : null,
      since: since ?? sinceAfter(known, record, clock.nowMs()),
    };
    const rows = next === null ? {} : { marks: [toMarkRow(number, next)] };
    marks.set(number, next);
    try {
      await table.update({ set: [vehicle], drop: [], erase: [], with: { ...changes?.(number), ...rows } });
    } catch (error) {
      marks.set(number, before);
      throw error;
    }
    return vehicle;
  },
  held: () =>
    [...marks.entries()].flatMap(([number, mark]) => {
      const vehicle = table.byNumber(number);
      const state = vehicle?.record.state;
      return vehicle !== undefined && (state === "locked" || state === "copied") ? [{ vehicle, mark }] : [];
    }),
});
