import type { VehicleRecord } from "#schema/domain/admission.ts";
import { parseCellId } from "#schema/domain/cell.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { parseVinKey, type VinKey } from "#schema/domain/vin-key.ts";
import type { VehicleRow } from "../store/store.ts";

/** A vehicle that the cell has a record of. Times are milliseconds since the epoch. */
export type Vehicle = {
  /** Stands for it in the store. */
  readonly number: number;
  readonly vin: Vin;
  readonly vinKey: VinKey;
  readonly record: VehicleRecord;
  /** When the record was learnt from a ticket, if the feed has not confirmed it since; else null. */
  readonly provisionalSince: number | null;
  /** When it came here, or went. */
  readonly since: number;
};

const otherCellOf = (record: VehicleRecord) => (record.state === "moved" ? record.movedTo : record.state === "guest" ? record.owner : null);

export const toVehicleRow = (vehicle: Vehicle): VehicleRow => ({
  number: vehicle.number,
  vin: vehicle.vin,
  vinKey: vehicle.vinKey,
  // A guest that has returned is its owner's again: that is all that a restart has to know.
  state: vehicle.record.state === "guest" && vehicle.record.isReturned ? "moved" : vehicle.record.state,
  epoch: vehicle.record.epoch,
  otherCell: otherCellOf(vehicle.record),
  isProvisional: vehicle.provisionalSince !== null,
  since: vehicle.since,
});

const parseRecord = ({ state, epoch, otherCell }: VehicleRow): VehicleRecord | null => {
  const other = parseCellId(otherCell);
  if (state === "owned" || state === "locked" || state === "copied") return { state, epoch };
  if (state === "moved" && other !== null) return { state, epoch, movedTo: other };
  if (state === "guest" && other !== null) return { state, epoch, owner: other, isReturned: false };
  return null;
};

export const isGone = (row: VehicleRow): boolean => row.state === "gone";

/** Reads a stored row that is not gone; throws when the file holds what no release has written. */
export const parseVehicleRow = (row: VehicleRow): Vehicle => {
  const vin = parseVin(row.vin);
  const vinKey = parseVinKey(row.vinKey);
  const record = parseRecord(row);
  if (!isVin(vin) || vinKey === null || record === null) throw new Error(`vehicle ${row.number} in the store is unreadable`);
  return { number: row.number, vin, vinKey, record, provisionalSince: row.isProvisional ? 0 : null, since: row.since };
};

const isAway = ({ state }: VehicleRecord): boolean => state === "moved";

/** When a vehicle came or went, after a change of its record. */
export const sinceAfter = (known: Vehicle | undefined, record: VehicleRecord, nowMs: number): number =>
  known !== undefined && isAway(known.record) === isAway(record) ? known.since : nowMs;

export const isServedHere = (vehicle: Vehicle | undefined): boolean =>
  vehicle !== undefined && (vehicle.record.state === "owned" || vehicle.record.state === "guest");

const MOVED_KEPT_MS = 30 * 24 * 3_600_000;

/** Whether a moved vehicle's record has served its time: whoever still comes here resolves again. */
export const isForgettable = ({ record, since }: Vehicle, nowMs: number): boolean => isAway(record) && since + MOVED_KEPT_MS <= nowMs;
