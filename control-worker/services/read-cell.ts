import type { Cell } from "#schema/api/cells.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { toCell } from "./cell-view.ts";
import { requireCell } from "./require.ts";

export const readCell = async (deps: Deps, id: CellId): Promise<Cell> => toCell(await requireCell(deps, id));
