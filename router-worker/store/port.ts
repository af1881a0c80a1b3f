import type { RouteRecord } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

/** A vehicle as stores know it: by its vinKey under each pepper, the current one first. */
export type Vehicle = {
  readonly vin: Vin;
  readonly vinKey: VinKey;
  readonly routeKeys: readonly string[];
};

export const ORIGINS = ["isolate", "last_known_good", "kv", "replica", "control"] as const;
/** Where a cached part came from. */
export type Origin = (typeof ORIGINS)[number];

/** As long as the time is before `untilMs`, another look-up would find the very same. The store moves `untilMs` on, or back to 0. */
export type Lease = { untilMs: number };

export type FoundRecord = {
  readonly kind: "found";
  readonly record: RouteRecord;
  readonly origin: Origin;
  readonly ageMs: number;
  /** Milliseconds since control itself said so; null when it did not. */
  readonly learntAgoMs: number | null;
  /** The store no longer has it: control must be asked, and this serves only while control is away. */
  readonly isVanished: boolean;
  readonly lease?: Lease;
};

/** `missing`: the store answered that it has none, which is never the last word. `unreachable`: it could not tell. */
export type Lookup = FoundRecord | { readonly kind: "missing" } | { readonly kind: "unreachable" };

export type DocumentRead =
  | { readonly kind: "found"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreachable" };

/** What the edge knows of vehicles. Nothing here throws, and every answer comes within the store's own timeouts. */
export type RouteStore = {
  find(vehicle: Vehicle): Lookup | Promise<Lookup>;
  /** Takes control's own word, which replaces whatever is held; null when control has no such vehicle. */
  learn(vehicle: Vehicle, record: RouteRecord | null): void;
  /** Reads a published document: the topology or its canary. */
  readDocument(key: string): Promise<DocumentRead>;
};

/** Last-known-good values that outlive the isolate. Reading never throws; writing is best effort, and undefined where there is nothing to wait for. */
export type Shelf = {
  read(key: string): Promise<string | null>;
  write(key: string, value: string): Promise<void> | undefined;
};
