import type { AssignmentChange } from "#schema/api/sync.ts";
import type { VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
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
};

type ToldRecord = Extract<VehicleRecord, { state: "owned" | "moved" | "locked" | "copied" }>;

/** The feed never unlocks: a granted lock ends by a higher epoch or its owner's word. */
const recordTold = (self: CellId, cell: CellId, epoch: number, known: VehicleRecord | undefined): ToldRecord => {
  if (cell !== self) return { state: "moved", epoch, movedTo: cell };
  const isLocked = known?.state === "locked" && known.epoch === epoch;
  return { state: isLocked ? "locked" : "owned", epoch };
};

/** Epochs only rise (I2), but what was learnt from a ticket yields to the feed once the feed must have known of it. */
const yieldsTo = (known: Vehicle, epoch: number, { isCaughtUp, sentAtMs }: ReconcileInput): boolean => {
  if (epoch >= known.record.epoch) return true;
  return known.provisionalSince !== null && known.provisionalSince <= sentAtMs && isCaughtUp;
};

const isOwnRecord = ({ record }: Vehicle): boolean => record.state === "owned" || record.state === "locked" || record.state === "copied";

const isSame = (known: Vehicle, next: Vehicle): boolean =>
  known.provisionalSince === next.provisionalSince &&
  known.vinKey === next.vinKey &&
  JSON.stringify(known.record) === JSON.stringify(next.record);

/** What a sync changes in the vehicle table: the last word on each VIN wins; a snapshot drops own records that it does not name. */
export const reconcile = (input: ReconcileInput): VehicleUpdate => {
  const { self, nowMs } = input;
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
    const record = recordTold(self, cell, epoch, known?.record);
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
      if (isOwnRecord(vehicle) && vehicle.provisionalSince === null && !last.has(vehicle.vin)) drop.push(vehicle);
    }
  }
  return { set, drop, erase };
};
