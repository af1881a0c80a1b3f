import type { Cell } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import { advanceCell, type CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import type { Statement } from "../store/statement.ts";
import { toCell } from "./cell-view.ts";
import { commit, type Plan } from "./commit.ts";
import { planCellUpdate } from "./plan-cell-update.ts";
import { requireCell } from "./require.ts";

const planApproval = async (deps: Deps, id: CellId): Promise<readonly Statement[] | Plan> => {
  const row = await requireCell(deps, id);
  if (row.state === "active") return [];
  if (!row.isProven) throw new AppError("conflict", "the cell has not proved its key at its endpoint yet");
  const state = advanceCell(row.state, "approve");
  if (state === null) throw new AppError("conflict", `a cell that is ${row.state} cannot be approved`);
  return planCellUpdate(row, { state });
};

/** Lets a proven cell go active; approving it again changes nothing. */
export const approveCell = async (deps: Deps, id: CellId): Promise<Cell> => {
  await commit(deps.ledger, () => planApproval(deps, id));
  deps.logger.info("cell approved", { cell: id });
  return toCell(await requireCell(deps, id));
};
