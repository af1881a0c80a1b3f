import { routeKeyOf } from "#schema/domain/route.ts";
import { type CompareDeps, compareRoutes, findExtraRoutes, type RouteDifference } from "../publish/compare-routes.ts";
import type { RouteReader } from "../publish/port.ts";
import { type KeyerOf, keyersOf } from "../publish/routes.ts";
import { findAssignments, readSnapshot } from "../store/assignments.ts";
import { listCells } from "../store/cells.ts";
import { enqueueRoutes, hasPendingRoutes, listPublishedRoutes } from "../store/outbox.ts";
import type { LoopDeps } from "./port.ts";

/** By then a write must have reached every place, and every cached copy before it must have gone (KV: 60 s and more). */
const SETTLED_MS = 120_000;
const DAY_TURNS = 24 * 3600;
const MIN_SLICE = 20;
const MAX_CHANGED = 200;
const EXTRAS_EVERY_TURNS = 60;

/** The endless comparison: each changed key two minutes later, all keys within a day, a page for keys that nobody has once a minute. */
export class ProjectionWatch {
  readonly #kv: RouteReader;
  readonly #keyers: KeyerOf;
  #checkedUntil: number | null = null;
  #afterVin = "";
  #extrasCursor: string | null = null;
  #turns = 0;

  constructor(kv: RouteReader, config: LoopDeps["config"]) {
    this.#kv = kv;
    this.#keyers = keyersOf(config.peppers);
  }

  async turn(deps: LoopDeps): Promise<void> {
    const compare: CompareDeps = { database: deps.database, kv: this.#kv, keyers: this.#keyers };
    this.#turns += 1;
    // What waits to be published differs, and rightly so.
    if (await hasPendingRoutes(deps.database)) return;
    const differences = [...(await this.#changed(deps, compare)), ...(await this.#slice(deps, compare)), ...(await this.#extras(compare))];
    if (differences.length === 0) return;
    const faults = Object.fromEntries([...Map.groupBy(differences, ({ fault }) => fault)].map(([fault, group]) => [fault, group.length]));
    deps.logger.warn("KV differed from libSQL and is mended", { faults });
    const now = deps.clock();
    const extras = differences.filter(({ vin }) => vin === null).map(({ pepperId, vinKey }) => routeKeyOf(pepperId, vinKey));
    const vins = new Set(differences.map(({ vin }) => vin).filter((vin) => vin !== null));
    await deps.write([enqueueRoutes(extras, "single", now), enqueueRoutes([...vins], "bulk", now)]);
  }

  async #changed(deps: LoopDeps, compare: CompareDeps): Promise<readonly RouteDifference[]> {
    const until = deps.clock() - SETTLED_MS;
    const from = this.#checkedUntil ?? until;
    const vins = await listPublishedRoutes(deps.database, from, until, MAX_CHANGED);
    this.#checkedUntil = until;
    return vins.length === 0 ? [] : compareRoutes(compare, await findAssignments(deps.database, vins));
  }

  async #slice(deps: LoopDeps, compare: CompareDeps): Promise<readonly RouteDifference[]> {
    const vehicles = (await listCells(deps.database)).reduce((sum, { assigned }) => sum + assigned, 0);
    const size = Math.max(MIN_SLICE, Math.ceil(vehicles / DAY_TURNS));
    const { rows } = await readSnapshot(deps.database, null, this.#afterVin, size);
    this.#afterVin = rows.length < size ? "" : (rows.at(-1)?.vin ?? "");
    const settled = rows.filter(({ updatedAt }) => updatedAt < deps.clock() - SETTLED_MS);
    return settled.length === 0 ? [] : compareRoutes(compare, settled);
  }

  async #extras(compare: CompareDeps): Promise<readonly RouteDifference[]> {
    if (this.#turns % EXTRAS_EVERY_TURNS !== 0) return [];
    const { extras, cursor } = await findExtraRoutes(compare, this.#extrasCursor);
    this.#extrasCursor = cursor;
    return extras;
  }
}
