import { createVinKeyer, type VinKeyer } from "#schema/crypto/vin-keyer.ts";
import { encodeRouteRecord, routeKeyOf } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Pepper } from "../config.ts";
import { type Assignment, findAssignments } from "../store/assignments.ts";
import type { PublishDeps, RouteKv } from "./port.ts";

/** Two of the platform's six connections stay free for the database. */
const CONCURRENT_KEYS = 4;

export type KeyerOf = readonly { readonly pepperId: string; readonly keyer: VinKeyer }[];

export const keyersOf = (peppers: readonly Pepper[]): KeyerOf =>
  peppers.map(({ id, secret }) => ({ pepperId: id, keyer: createVinKeyer(secret) }));

/** What KV should hold for a vehicle: a record, or nothing. */
export type RouteValue = string | null;

const routeValueOf = (assignment: Assignment | undefined): RouteValue => (assignment === undefined ? null : encodeRouteRecord(assignment));

/** The truth about these vehicles, as route values. */
export const readRouteValues = async (deps: PublishDeps, vins: readonly Vin[]): Promise<ReadonlyMap<Vin, RouteValue>> => {
  const rows = await findAssignments(deps.database, vins);
  const byVin = new Map(rows.map((row) => [row.vin, row]));
  return new Map(vins.map((vin) => [vin, routeValueOf(byVin.get(vin))]));
};

const writeRoute = async (kv: RouteKv, keyers: KeyerOf, vin: Vin, value: RouteValue): Promise<void> => {
  for (const { pepperId, keyer } of keyers) {
    const key = routeKeyOf(pepperId, await keyer(vin));
    await (value === null ? kv.delete(key) : kv.put(key, value));
  }
};

/** A key that no vehicle has stands in the outbox in the place of a VIN. */
const isBareKey = (vin: string): boolean => vin.startsWith("r/");

export type RouteWrite = { readonly vin: Vin; readonly value: RouteValue; readonly error: unknown };

/** Writes values under every pepper, a few keys at a time; a failure is told beside its key. */
export const writeRoutes = async (kv: RouteKv, keyers: KeyerOf, values: ReadonlyMap<Vin, RouteValue>): Promise<RouteWrite[]> => {
  const waiting = [...values];
  const written: RouteWrite[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [vin, value] = next;
      try {
        await (isBareKey(vin) ? kv.delete(vin) : writeRoute(kv, keyers, vin, value));
        written.push({ vin, value, error: null });
      } catch (error) {
        written.push({ vin, value, error });
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_KEYS }, work));
  return written;
};

const REPAIR_ROUNDS = 3;

/**
 * A publisher that lost the lease while it wrote may have put older values over its successor's. It looks again and puts the truth,
 * until what it wrote last is the truth.
 */
export const repairRoutes = async (deps: PublishDeps, keyers: KeyerOf, written: ReadonlyMap<Vin, RouteValue>): Promise<void> => {
  let last = written;
  for (let round = 0; round < REPAIR_ROUNDS && last.size > 0; round++) {
    const truth = await readRouteValues(deps, [...last.keys()]);
    last = new Map([...truth].filter(([vin, value]) => last.get(vin) !== value));
    await writeRoutes(deps.kv, keyers, last);
  }
};
