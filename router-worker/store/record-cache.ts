import { LRUCache } from "lru-cache";
import type { RouteRecord } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { FoundRecord, Origin } from "./port.ts";

/** What an isolate holds of one vehicle. */
export type HeldRecord = {
  readonly record: RouteRecord;
  readonly origin: Origin;
  readonly readAtMs: number;
  readonly learntAtMs: number | null;
  readonly isVanished: boolean;
  /** After a failed reading: not read again before this. */
  readonly retryAtMs: number;
};

/** How long control's word outweighs a store that does not know of it yet: KV has been seen 300 s behind. */
export const LEARNT_HOLD_MS = 300_000;

/**
 * What is held after the store was read again. An older epoch is a stale copy and changes nothing (I2); a miss soon after control's word
 * is a copy that has not arrived; any other miss leaves the record to be confirmed by control.
 */
export const mergeRead = (
  held: HeldRecord | undefined,
  read: { readonly record: RouteRecord; readonly origin: Origin } | null,
  nowMs: number,
): HeldRecord | undefined => {
  const taken = { readAtMs: nowMs, isVanished: false, retryAtMs: 0 };
  if (held === undefined) return read === null ? undefined : { ...read, ...taken, learntAtMs: null };
  const isAwaited = held.learntAtMs !== null && nowMs - held.learntAtMs < LEARNT_HOLD_MS;
  if (read === null) return { ...held, ...taken, isVanished: !isAwaited };
  return read.record.epoch <= held.record.epoch ? { ...held, ...taken } : { ...read, ...taken, learntAtMs: null };
};

export const foundOf = (held: HeldRecord, origin: Origin, nowMs: number): FoundRecord => ({
  kind: "found",
  record: held.record,
  origin,
  ageMs: nowMs - held.readAtMs,
  learntAgoMs: held.learntAtMs === null ? null : nowMs - held.learntAtMs,
  isVanished: held.isVanished,
});

/** Records by VIN, bounded: the one used longest ago goes first and is read again when it is asked for. */
export const createRecordCache = (max: number): LRUCache<Vin, HeldRecord> => new LRUCache<Vin, HeldRecord>({ max });
