import { LRUCache } from "lru-cache";
import type { RouteRecord } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { FoundRecord, Lease, Origin } from "./port.ts";

/** What an isolate holds of one vehicle. */
export type HeldRecord = {
  readonly record: RouteRecord;
  readonly origin: Origin;
  readonly readAtMs: number;
  readonly learntAtMs: number | null;
  readonly isVanished: boolean;
  /** After a failed reading: not read again before this. */
  readonly retryAtMs: number;
  readonly lease: Lease;
};

/** How long control's word outweighs a store that does not know of it yet: KV has been seen 300 s behind. */
export const LEARNT_HOLD_MS = 300_000;

type Unleased = Omit<HeldRecord, "lease">;

/**
 * What is held after the store was read again. An older epoch is a stale copy and changes nothing (I2); a miss soon after control's word
 * is a copy that has not arrived; any other miss leaves the record to be confirmed by control.
 */
export const mergeRead = (
  held: HeldRecord | undefined,
  read: { readonly record: RouteRecord; readonly origin: Origin } | null,
  nowMs: number,
): Unleased | undefined => {
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
  lease: held.lease,
});

export type RecordCache = {
  get(vin: Vin): HeldRecord | undefined;
  put(vin: Vin, next: Unleased): HeldRecord;
  delete(vin: Vin): void;
};

/** Records by VIN, bounded: the one used longest ago goes first and is read again when it is asked for. A lease ends with the record that it was given for. */
export const createRecordCache = (max: number, freshMs: number): RecordCache => {
  const cache = new LRUCache<Vin, HeldRecord>({ max });
  const end = (held: HeldRecord | undefined): void => {
    if (held !== undefined) held.lease.untilMs = 0;
  };
  return {
    get: (vin) => cache.get(vin),
    put(vin, next) {
      const before = cache.get(vin);
      const goesOn = before?.record === next.record && !next.isVanished;
      if (!goesOn) end(before);
      const lease = goesOn ? before.lease : { untilMs: 0 };
      if (!next.isVanished) lease.untilMs = Math.max(next.readAtMs + freshMs, next.retryAtMs);
      const held = { ...next, lease };
      cache.set(vin, held);
      return held;
    },
    delete(vin) {
      end(cache.get(vin));
      cache.delete(vin);
    },
  };
};
