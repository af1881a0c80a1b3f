import type { Cell, CellPatch } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import { advanceCell, type CellId, type CellState } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import type { CellRow } from "../store/cells.ts";
import { toCell } from "./cell-view.ts";
import { commit, type Plan } from "./commit.ts";
import { planCellUpdate } from "./plan-cell-update.ts";
import { checkEndpoints } from "./register-cell.ts";
import { checkVersion, requireCell } from "./require.ts";

const stateAfter = (row: CellRow, wanted: CellState | undefined): CellState => {
  if (wanted === undefined || wanted === row.state) return row.state;
  const state = row.state === "joining" ? null : advanceCell(row.state, wanted === "draining" ? "drain" : "undrain");
  if (state === null) throw new AppError("conflict", `a cell that is ${row.state} cannot become ${wanted} by this call`);
  return state;
};

/** A standby takes over the vehicles, so it lies in the same zone (invariant I12). */
const checkStandby = async (deps: Deps, row: CellRow, standby: CellId | null | undefined): Promise<void> => {
  if (standby === undefined || standby === null) return;
  if (standby === row.id) throw new AppError("conflict", "a cell cannot be its own standby");
  const other = await requireCell(deps, standby);
  if (other.zone !== row.zone) throw new AppError("zone_mismatch", "a standby lies in the zone of its cell");
};

const planPatch = async (deps: Deps, id: CellId, patch: CellPatch, expectedVersion: number | null): Promise<Plan> => {
  const row = await requireCell(deps, id);
  checkVersion(expectedVersion, row.version);
  await checkStandby(deps, row, patch.standby);
  if (patch.endpoints !== undefined) checkEndpoints(patch.endpoints, row.endpointSuffixes, deps.config.allowedHosts);
  const { capacity, state, ...rest } = patch;
  const changes = Object.fromEntries(Object.entries({ ...rest, ...capacity }).filter(([, value]) => value !== undefined));
  return planCellUpdate(row, { ...changes, state: stateAfter(row, state) });
};

/** Changes what operators decide about a cell. */
export const patchCell = async (deps: Deps, id: CellId, patch: CellPatch, expectedVersion: number | null): Promise<Cell> => {
  await commit(deps.ledger, () => planPatch(deps, id, patch, expectedVersion));
  deps.logger.info("cell changed", { cell: id, members: Object.keys(patch) });
  return toCell(await requireCell(deps, id));
};
