import { parseRouteRecord, type RouteRecord } from "#schema/domain/route.ts";
import { type Clock, TIMED_OUT, withTimeout } from "../clock.ts";
import { createFlights, type KeepAlive } from "../flights.ts";
import type { RouteSettings } from "../settings.ts";
import type { KvReader } from "./kv-reader.ts";
import type { Lookup, Origin, RouteStore, Shelf, Vehicle } from "./port.ts";
import { createRecordCache, foundOf, type HeldRecord, mergeRead } from "./record-cache.ts";

type RecordRead =
  | { readonly kind: "record"; readonly record: RouteRecord; readonly origin: Origin }
  | { readonly kind: "missing" }
  | { readonly kind: "unreachable" };

const parseText = (text: string): RouteRecord | null => {
  try {
    return parseRouteRecord(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/**
 * The route store over Workers KV: isolate memory (fresh, then stale while it is read again, then a bounded wait with the held copy to fall back on),
 * KV, and the last-known-good shelf when KV cannot tell.
 */
export const createWorkersKvStore = (options: {
  readonly reader: KvReader;
  readonly shelf: Shelf;
  readonly clock: Clock;
  readonly keepAlive: KeepAlive;
  readonly settings: RouteSettings;
  readonly onCorrupt: () => void;
}): RouteStore => {
  const { reader, shelf, clock, keepAlive, settings } = options;
  const cache = createRecordCache(settings.maxHeld, settings.freshMs);
  const flights = createFlights<Lookup>({ clock, keepAlive, waitMs: settings.followerWaitMs, max: settings.maxFlights });

  /** Tries the current pepper's key, then the previous one's: a rotation misses nobody. */
  const readKeys = async (vehicle: Vehicle): Promise<RecordRead> => {
    for (const key of vehicle.routeKeys) {
      const read = await reader.read(key);
      if (read.kind === "unreachable") return read;
      const record = read.kind === "found" ? parseText(read.text) : null;
      if (read.kind === "found" && record === null) options.onCorrupt();
      if (read.kind === "found" && record !== null) {
        const writing = shelf.write(key, read.text);
        if (writing !== undefined) keepAlive(writing);
        return { kind: "record", record, origin: "kv" };
      }
    }
    return { kind: "missing" };
  };

  const readShelf = async (vehicle: Vehicle): Promise<RecordRead> => {
    for (const key of vehicle.routeKeys) {
      const text = await shelf.read(key);
      const record = text === null ? null : parseText(text);
      if (record !== null) return { kind: "record", record, origin: "last_known_good" };
    }
    return { kind: "unreachable" };
  };

  const readThrough = async (vehicle: Vehicle): Promise<Lookup> => {
    let read = await readKeys(vehicle);
    if (read.kind === "unreachable" && cache.get(vehicle.vin) === undefined) read = await readShelf(vehicle);
    const nowMs = clock.now();
    const held = cache.get(vehicle.vin);
    if (read.kind === "unreachable") {
      if (held === undefined) return { kind: "unreachable" };
      return foundOf(cache.put(vehicle.vin, { ...held, retryAtMs: nowMs + settings.retryMs }), "isolate", nowMs);
    }
    const merged = mergeRead(held, read.kind === "record" ? read : null, nowMs);
    if (merged === undefined) return { kind: "missing" };
    return foundOf(cache.put(vehicle.vin, merged), merged.origin, nowMs);
  };

  const share = (vehicle: Vehicle) => flights.share(vehicle.vin, () => readThrough(vehicle));

  const readAgain = async (vehicle: Vehicle, held: HeldRecord): Promise<Lookup> => {
    const outcome = await withTimeout(clock, settings.heldWaitMs, share(vehicle));
    return outcome === TIMED_OUT ? foundOf(held, "isolate", clock.now()) : outcome;
  };

  return {
    find(vehicle) {
      const held = cache.get(vehicle.vin);
      if (held === undefined) return share(vehicle);
      const nowMs = clock.now();
      const ageMs = nowMs - held.readAtMs;
      if (ageMs < settings.freshMs || nowMs < held.retryAtMs) return foundOf(held, "isolate", nowMs);
      if (ageMs >= settings.staleMs && reader.isWell()) return readAgain(vehicle, held);
      flights.begin(vehicle.vin, () => readThrough(vehicle));
      return foundOf(held, "isolate", nowMs);
    },
    learn(vehicle, record) {
      const nowMs = clock.now();
      if (record === null) cache.delete(vehicle.vin);
      else cache.put(vehicle.vin, { record, origin: "control", readAtMs: nowMs, learntAtMs: nowMs, isVanished: false, retryAtMs: 0 });
    },
    readDocument: (key) => reader.read(key),
  };
};
