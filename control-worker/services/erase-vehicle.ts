import { AppError } from "#schema/api/error.ts";
import type { Tombstone } from "#schema/api/vehicles.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { eraseVehicle as erase, hasOpenMove } from "../store/erasure.ts";
import { commit } from "./commit.ts";
import { checkVersion, requireVehicle } from "./require.ts";

/** Erases a vehicle: from libSQL with this call, from KV and its cells as soon as they are told. Its epoch stays below the floor for good. */
export const eraseVehicle = async (deps: Deps, vin: Vin, expectedVersion: number | null): Promise<Tombstone> => {
  let tombstone: Tombstone | null = null;
  await commit(deps.ledger, async () => {
    const { vehicle, epoch: known, cell } = await requireVehicle(deps, vin);
    const { vinKey, version } = vehicle;
    checkVersion(expectedVersion, version);
    if (await hasOpenMove(deps.database, vin))
      throw new AppError("conflict", "the vehicle is being moved: abort the move, or wait for its end");
    const now = deps.clock();
    const epoch = known ?? 0;
    tombstone = { vinKey, epoch, erasedAt: new Date(now).toISOString() };
    const changes = [{ target: `vehicle/${vinKey}`, before: { cell, epoch, version }, after: null }];
    return { statements: erase({ vin, vinKey, version, epoch, now }), changes };
  });
  if (tombstone === null) throw new Error("nothing was planned");
  deps.logger.info("vehicle erased", tombstone);
  return tombstone;
};
