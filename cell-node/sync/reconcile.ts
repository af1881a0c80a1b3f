import type { AssignmentChange } from "#schema/api/sync.ts";
import type { VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type MoveMark, takeFeed } from "#schema/domain/cell-move.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { sinceAfter, type Vehicle } from "../admission/vehicle.ts";
import type { VehicleUpdate } from "../admission/vehicle-table.ts";

export type ReconcileInput = {
  readonly self: CellId;
  /** In feed order; for a snapshot all of its pages. */
  readonly changes: readonly AssignmentChange[];
  /** The changes name every vehicle of this cell. */
  readonly isSnapshot: boolean;
  /** Nothing more waits at control. */
  readonly isCaughtUp: boolean;
  /** When the sync was sent, monotonic: what was learnt before it, the answer knows about. */
  readonly sentAtMs: number;
  readonly nowMs: number;
  readonly find: (vin: Vin) => Vehicle | undefined;
  readonly all: () => Iterable<Vehicle>;
  readonly numberFor: (vin: Vin) => number;
  readonly markOf: (vehicle: Vehicle) => MoveMark | null;
};

const isInMove = ({ record }: Vehicle): boolean => record.state === "locked" || record.state === "copied";

/** The feed never unlocks: a vehicle in a move is settled by its orders, or a higher epoch. */
const recordTold = (cell: CellId, epoch: number, known: Vehicle | undefined, { self, markOf }: ReconcileInput): VehicleRecord => {
  if (known !== undefined && isInMove(known)) return takeFeed(self, { record: known.record, mark: markOf(known) }, { cell, epoch });
  return takeFeed(self, { record: null, mark: null }, { cell, epoch });
};

/** Epochs only rise (I2), but what was learnt from a ticket yields to the feed once the feed must have known of it. */
const yieldsTo = (known: Vehicle, epoch: number, { isCaughtUp, sentAtMs }: ReconcileInput): boolean => {
  if (epoch >= known.record.epoch) return true;
  return known.provisionalSince !== null && known.provisionalSince <= sentAtMs && isCaughtUp;
};

/** A vehicle in a move is asked about by name: no snapshot decides over it. */
const isNamedInSnapshots = (vehicle: Vehicle, markOf: ReconcileInput["markOf"]): boolean =>
  vehicle.record.state === "owned" || (isInMove(vehicle) && markOf(vehicle) === null);

const isSame = (known: Vehicle, next: Vehicle): boolean =>
  known.provisionalSince === next.provisionalSince &&
  known.vinKey === next.vinKey &&
  JSON.stringify(known.record) === JSON.stringify(next.record);

/** What a sync changes in the vehicle table: the last word on each VIN wins; a snapshot drops own records that it does not name. */
export const reconcile = (input: ReconcileInput): VehicleUpdate => {
  const { nowMs } = input;
  const last = new Map(input.changes.map((change) => [change.vin, change]));
  const set: Vehicle[] = [];
  const drop: Vehicle[] = [];
  const erase: Vehicle[] = [];
  for (const { vin, vinKey, epoch, cell } of last.values()) {
    const known = input.find(vin);
    if (known !== undefined && !yieldsTo(known, epoch, input)) continue;
    if (cell === null) {
      if (known !== undefined) erase.push(known);
      continue;
    }
    const record = recordTold(cell, epoch, known, input);
    const next: Vehicle = {
      number: input.numberFor(vin),
      vin,
      vinKey,
      record,
      provisionalSince: null,
      since: sinceAfter(known, record, nowMs),
    };
    if (known === undefined || !isSame(known, next)) set.push(next);
  }
  if (input.isSnapshot) {
    for (const vehicle of input.all()) {
      if (isNamedInSnapshots(vehicle, input.markOf) && vehicle.provisionalSince === null && !last.has(vehicle.vin)) drop.push(vehicle);
    }
  }
  return { set, drop, erase };
};
