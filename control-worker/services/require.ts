import { AppError } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { type CellRow, findCell } from "../store/cells.ts";
import { findVehicle, type VehicleRow } from "../store/vehicles.ts";

export const requireCell = async (deps: Deps, id: CellId): Promise<CellRow> => {
  const row = await findCell(deps.database, id);
  if (row === null) throw new AppError("not_found", "there is no such cell");
  return row;
};

export const requireVehicle = async (deps: Deps, vin: Vin): Promise<VehicleRow> => {
  const row = await findVehicle(deps.database, vin);
  if (row === null) throw new AppError("not_found", "there is no such vehicle");
  return row;
};

/** Holds a caller's If-Match against the version that there is. */
export const checkVersion = (expected: number | null, actual: number): void => {
  if (expected !== null && expected !== actual) throw new AppError("precondition_failed", `the resource is at version ${actual}`);
};
