import { type CellRow, updateCell } from "../store/cells.ts";
import { toCell } from "./cell-view.ts";
import type { Plan } from "./commit.ts";

/** Changes a cell that is still as it was read, and says what it was and is. */
export const planCellUpdate = (row: CellRow, changes: Partial<CellRow>): Plan => ({
  statements: updateCell(row.id, row.version, changes),
  changes: [{ target: `cell/${row.id}`, before: toCell(row), after: toCell({ ...row, ...changes, version: row.version + 1 }) }],
});
