import type { RouteFault } from "#schema/api/projection.ts";
import { parseRouteRecord, type RouteRecord, routeKeyOf } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { parseVinKey, type VinKey } from "#schema/domain/vin-key.ts";
import { type Assignment, findOwnedVinKeys } from "../store/assignments.ts";
import type { Database } from "../store/database.ts";
import type { RouteReader } from "./port.ts";
import type { KeyerOf } from "./routes.ts";

/** KV's own bound on one call. */
const KEYS_PER_CALL = 100;

export type RouteDifference = { readonly pepperId: string; readonly vinKey: VinKey; readonly fault: RouteFault; readonly vin: Vin | null };
export type CompareDeps = { readonly database: Database; readonly kv: RouteReader; readonly keyers: KeyerOf };

/** How what KV holds differs from truth; null: it does not. */
export const faultOf = (held: RouteRecord | null, truth: RouteRecord): RouteFault | null => {
  if (held === null) return "missing";
  if (held.epoch !== truth.epoch) return held.epoch < truth.epoch ? "older" : "newer";
  return held.cell === truth.cell ? null : "other_cell";
};

const parseHeld = (text: string | null | undefined): RouteRecord | null => {
  try {
    return text === null || text === undefined ? null : parseRouteRecord(JSON.parse(text));
  } catch {
    return null;
  }
};

/** Reads the keys of these vehicles under every pepper; what differs from truth. */
export const compareRoutes = async ({ kv, keyers }: CompareDeps, truth: readonly Assignment[]): Promise<RouteDifference[]> => {
  const differences: RouteDifference[] = [];
  for (const { pepperId, keyer } of keyers) {
    for (let from = 0; from < truth.length; from += KEYS_PER_CALL) {
      const slice = await Promise.all(
        truth.slice(from, from + KEYS_PER_CALL).map(async (row) => {
          const vinKey = await keyer(row.vin);
          return { row, vinKey, key: routeKeyOf(pepperId, vinKey) };
        }),
      );
      const held = await kv.get(slice.map(({ key }) => key));
      for (const { row, vinKey, key } of slice) {
        const fault = faultOf(parseHeld(held.get(key)), row);
        if (fault !== null) differences.push({ pepperId, vinKey, fault, vin: row.vin });
      }
    }
  }
  return differences;
};

export type ExtraPage = { readonly keys: number; readonly extras: readonly RouteDifference[]; readonly cursor: string | null };

/** One page of the keys under the current pepper; those that no vehicle has. */
export const findExtraRoutes = async ({ database, kv, keyers }: CompareDeps, cursor: string | null): Promise<ExtraPage> => {
  const pepperId = keyers[0]?.pepperId ?? "";
  const prefix = `r/${pepperId}/`;
  const page = await kv.list({ prefix, ...(cursor !== null && { cursor }) });
  const vinKeys = page.keys.map(({ name }) => parseVinKey(name.slice(prefix.length))).filter((vinKey) => vinKey !== null);
  const owned = new Set(await findOwnedVinKeys(database, vinKeys));
  const extras = vinKeys.filter((vinKey) => !owned.has(vinKey)).map((vinKey) => ({ pepperId, vinKey, fault: "extra" as const, vin: null }));
  return { keys: page.keys.length, extras, cursor: page.list_complete ? null : (page.cursor ?? null) };
};
