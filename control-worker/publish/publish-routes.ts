import type { Lane } from "#schema/db/control/tables.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { deferRoutes, listPendingRoutes, markPublished, type PendingRoute } from "../store/outbox.ts";
import { isTooMany, type PublishDeps } from "./port.ts";
import { type KeyerOf, type RouteWrite, readRouteValues, repairRoutes, writeRoutes } from "./routes.ts";

/** Keys whose values are read together, right before they are written. */
const WAVE = 16;
const MIN_DEFERRAL_MS = 1_000;
const MAX_DEFERRAL_MS = 60_000;

/** `idle`: nothing was due. `failed`: KV takes nothing, or the lease is gone; come back later. */
export type Progress = "idle" | "published" | "failed";

const deferralMs = (attempts: number, random: number): number =>
  MIN_DEFERRAL_MS + random * Math.min(MAX_DEFERRAL_MS, MIN_DEFERRAL_MS * 2 ** attempts);

const isVin = (vin: Vin | ""): vin is Vin => vin !== "";

const wavesOf = (vins: readonly Vin[]): Vin[][] =>
  Array.from({ length: Math.ceil(vins.length / WAVE) }, (_, index) => vins.slice(index * WAVE, (index + 1) * WAVE));

/** Marks what was written, puts off what failed; whether that was committed. */
const settle = async (deps: PublishDeps, rows: readonly PendingRoute[], writes: readonly RouteWrite[]): Promise<boolean> => {
  const errors = new Map(writes.map(({ vin, error }) => [vin as string, error]));
  const tried = rows.filter(({ vin }) => errors.has(vin));
  const done = tried.filter(({ vin }) => errors.get(vin) === null).map(({ seq }) => seq);
  const now = deps.clock();
  const later = tried
    .filter(({ vin }) => errors.get(vin) !== null)
    .map(({ seq, attempts }) => ({ seq, notBefore: Math.round(now + deferralMs(attempts, deps.random())) }));
  const outcome = await deps.write([
    ...(done.length > 0 ? [markPublished(done, now)] : []),
    ...(later.length > 0 ? [deferRoutes(later)] : []),
  ]);
  return outcome.kind === "written";
};

/** Publishes the oldest due changes of a lane: reads each value right before it is written, marks the rows when all is written. */
export const publishRoutes = async (deps: PublishDeps, keyers: KeyerOf, lane: Lane, limit: number): Promise<Progress> => {
  const rows = await listPendingRoutes(deps.database, lane, deps.clock(), limit);
  if (rows.length === 0) return "idle";
  if (!(await deps.holdsLease())) return "failed";
  const vins = [...new Set(rows.map(({ vin }) => vin).filter(isVin))];
  const writes: RouteWrite[] = [];
  let isDown = false;
  for (const wave of wavesOf(vins)) {
    const values = await readRouteValues(deps, wave);
    const written = await writeRoutes(deps.kv, keyers, values);
    isDown = written.every(({ error }) => error !== null && !isTooMany(error));
    if (isDown) break;
    writes.push(...written);
  }
  if (writes.length === 0) return "failed";
  if (await settle(deps, rows, writes)) return isDown ? "failed" : "published";
  await repairRoutes(deps, keyers, new Map(writes.map(({ vin, value }) => [vin, value])));
  return "failed";
};
