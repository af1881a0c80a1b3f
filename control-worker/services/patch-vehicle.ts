import { AppError } from "#schema/api/error.ts";
import type { Vehicle, VehiclePatch } from "#schema/api/vehicles.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { reassign } from "../store/assignments.ts";
import { type CellRow, findCell } from "../store/cells.ts";
import { hasOpenMove } from "../store/moves.ts";
import { assertThat, type Statement } from "../store/statement.ts";
import { updateVehicle, type VehicleChange, type VehicleRow } from "../store/vehicles.ts";
import { commit, type Plan } from "./commit.ts";
import { placementError } from "./place-vehicle.ts";
import { checkVersion, requireVehicle } from "./require.ts";
import { auditOf, toVehicle } from "./vehicle-view.ts";

const requireTarget = async (deps: Deps, id: CellId): Promise<CellRow> => {
  const cell = await findCell(deps.database, id);
  if (cell === null) throw new AppError("not_found", "there is no such cell");
  return cell;
};

/** The cell must lie in the vehicle's zone, and be open when the vehicle is new to it. */
const checkCell = (cell: CellRow, zone: string | null, isArrival: boolean): void => {
  if (zone !== null && cell.zone !== zone) throw new AppError("zone_mismatch", `cell ${cell.id} is outside zone ${zone}`);
  if (!isArrival) return;
  if (cell.state !== "active" || cell.health !== "healthy") {
    throw new AppError("conflict", `cell ${cell.id} takes no vehicles: it is ${cell.state} and ${cell.health}`);
  }
  if (cell.assigned >= cell.hardLimit) throw placementError("no_capacity");
};

/** Zone last: until then the vehicle has none, so that the guards of both changes hold against the state they lead to. */
const statementsOf = (row: VehicleRow, attributes: VehicleChange, cell: CellId | null, now: number): Statement[] => {
  const { vin, version } = row.vehicle;
  const next = version + 1;
  const zone = attributes.zone === undefined ? row.vehicle.zone : attributes.zone;
  return [
    assertThat("(select version from vehicles where vin = ?) = ?", vin, version),
    updateVehicle(vin, { ...attributes, zone: null }, next, now),
    ...(cell === null ? [] : [reassign(vin, cell, now), assertThat("(select cell from assignments where vin = ?) = ?", vin, cell)]),
    updateVehicle(vin, { zone }, next, now),
    assertThat("(select zone from vehicles where vin = ?) is ?", vin, zone),
  ];
};

const planPatch = async (deps: Deps, vin: Vin, patch: VehiclePatch, expectedVersion: number | null): Promise<Plan> => {
  const row = await requireVehicle(deps, vin);
  checkVersion(expectedVersion, row.vehicle.version);
  const { cell: wanted, ...attributes } = patch;
  const isPinned = patch.isPinned ?? row.vehicle.isPinned;
  if (wanted !== undefined && wanted !== row.cell && isPinned)
    throw new AppError("conflict", "the vehicle is pinned to its cell: unpin it first");
  if (wanted !== undefined && row.cell === null) {
    throw new AppError("conflict", "the vehicle has no cell yet: it is placed when it first calls");
  }
  if (wanted !== undefined && wanted !== row.cell && (await hasOpenMove(deps.database, vin))) {
    throw new AppError("conflict", "the vehicle is being moved: abort the move, or wait for its end");
  }
  const zone = attributes.zone === undefined ? row.vehicle.zone : attributes.zone;
  const owner = wanted ?? row.cell;
  if (owner !== null) checkCell(await requireTarget(deps, owner), zone, owner !== row.cell);
  const target = wanted !== undefined && wanted !== row.cell ? wanted : null;
  const changed = attributes as VehicleChange;
  const after = { ...row, cell: owner, vehicle: { ...row.vehicle, ...changed, version: row.vehicle.version + 1 } };
  const changes = [{ target: `vehicle/${row.vehicle.vinKey}`, before: auditOf(row), after: auditOf(after) }];
  return { statements: statementsOf(row, changed, target, deps.clock()), changes };
};

/** Changes a vehicle; another cell re-assigns it at the next epoch, without its data. */
export const patchVehicle = async (deps: Deps, vin: Vin, patch: VehiclePatch, expectedVersion: number | null): Promise<Vehicle> => {
  await commit(deps.ledger, () => planPatch(deps, vin, patch, expectedVersion));
  const vehicle = toVehicle(await requireVehicle(deps, vin), deps.clock());
  const { vinKey, cell, epoch } = vehicle;
  deps.logger.info("vehicle changed", { vinKey, cell, epoch, members: Object.keys(patch) });
  return vehicle;
};
