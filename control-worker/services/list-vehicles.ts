import type { Vehicle } from "#schema/api/vehicles.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { listVehicles as listRows, listVehiclesOf } from "../store/vehicles.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";
import { toVehicle } from "./vehicle-view.ts";

export type VehicleQuery = { readonly cell?: CellId | undefined; readonly cursor?: string | undefined; readonly limit: number };

/** Vehicles in VIN order, all of them or one cell's. */
export const listVehicles = async (deps: Deps, { cell, cursor, limit }: VehicleQuery): Promise<Page<Vehicle>> => {
  const after = afterOf(cursor);
  const now = deps.clock();
  const rows = await (cell === undefined
    ? listRows(deps.database, after, limit + 1)
    : listVehiclesOf(deps.database, cell, after, limit + 1));
  return toPage(
    rows,
    limit,
    (row) => row.vehicle.vin,
    (row) => toVehicle(row, now),
  );
};
