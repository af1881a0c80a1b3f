import type { Cell } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import { advanceCell, type CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { listCells } from "../store/cells.ts";
import { hasMovesInHand } from "../store/moves.ts";
import { assertThat } from "../store/statement.ts";
import { toCell } from "./cell-view.ts";
import { commit, type Plan } from "./commit.ts";
import { planCellUpdate } from "./plan-cell-update.ts";
import { checkVersion, requireCell } from "./require.ts";

const planRetirement = async (deps: Deps, id: CellId, expectedVersion: number | null): Promise<Plan> => {
  const row = await requireCell(deps, id);
  checkVersion(expectedVersion, row.version);
  if (row.assigned > 0) throw new AppError("conflict", `the cell still owns ${row.assigned} vehicles: drain it first`);
  const state = advanceCell(row.state, "retire");
  if (state === null) throw new AppError("conflict", `a cell that is ${row.state} cannot be retired: drain it first`);
  if (await hasMovesInHand(deps.database, id)) throw new AppError("conflict", "the cell still has a part in moves");
  const kept = (await listCells(deps.database)).filter((other) => other.standby === id && other.state !== "retired");
  if (kept.length > 0) throw new AppError("conflict", `it is the standby of ${kept.map((other) => other.id).join(", ")}`);
  const plan = planCellUpdate(row, { state, standby: null });
  return { ...plan, statements: [...plan.statements, assertThat("(select assigned from cells where id = ?) = 0", id)] };
};

/** Retires an empty cell for good: the topology forgets it and its key is worth nothing any more. */
export const retireCell = async (deps: Deps, id: CellId, expectedVersion: number | null): Promise<Cell> => {
  await commit(deps.ledger, () => planRetirement(deps, id, expectedVersion));
  deps.logger.info("cell retired", { cell: id });
  return toCell(await requireCell(deps, id));
};
