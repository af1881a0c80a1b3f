import { AppError } from "#schema/api/error.ts";
import type { Failover } from "#schema/api/failover.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { findFailover, markSeized } from "../store/failovers.ts";
import { commit, type Plan } from "./commit.ts";
import { requireCell } from "./require.ts";
import { readFailover } from "./steer-failover.ts";

const planSeizure = async (deps: Deps, id: CellId): Promise<readonly [] | Plan> => {
  const { health, assigned } = await requireCell(deps, id);
  const { state, seizedAt } = await findFailover(deps.database, id);
  if (seizedAt !== null) return [];
  if (state.phase !== "failed_over" || health !== "down") {
    throw new AppError(
      "conflict",
      `only a cell that is down and failed over is seized: it is ${health} and ${state.phase.replace("_", " ")}`,
    );
  }
  const after = { standby: state.standby, term: state.term, vehicles: assigned };
  return { statements: markSeized(id, state.term, deps.clock()), changes: [{ target: `cell/${id}`, before: null, after }] };
};

/**
 * A cell is gone for good: from now on its key is worth nothing, and its vehicles become its standby's own, at new epochs. The loop that gives them over
 * retires the cell when it is empty.
 */
export const seizeCell = async (deps: Deps, id: CellId, confirm: CellId): Promise<Failover> => {
  if (confirm !== id) throw new AppError("conflict", "confirm names another cell");
  await commit(deps.ledger, () => planSeizure(deps, id));
  deps.logger.warn("cell seized", { cell: id });
  return readFailover(deps, id);
};
