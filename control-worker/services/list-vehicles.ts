import type { Vehicle } from "#schema/api/vehicles.ts";
import type { Deps } from "../deps.ts";
import { listVehicles as listRows, type VehicleQuery } from "../store/vehicles.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";
import { toVehicle } from "./vehicle-view.ts";

export type PageOfVehicles = VehicleQuery & { readonly cursor?: string | undefined; readonly limit: number };

/** Vehicles in VIN order that fit all filters. */
export const listVehicles = async (deps: Deps, { cursor, limit, ...query }: PageOfVehicles): Promise<Page<Vehicle>> => {
  const now = deps.clock();
  const rows = await listRows(deps.database, query, afterOf(cursor), limit + 1);
  return toPage(
    rows,
    limit,
    (row) => row.vehicle.vin,
    (row) => toVehicle(row, now),
  );
};
