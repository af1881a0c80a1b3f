import type { Cell } from "#schema/api/cells.ts";
import type { Deps } from "../deps.ts";
import { listCells as listRows } from "../store/cells.ts";
import { toCell } from "./cell-view.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";

export const listCells = async (deps: Deps, query: { cursor?: string | undefined; limit: number }): Promise<Page<Cell>> =>
  toPage(await listRows(deps.database, afterOf(query.cursor), query.limit + 1), query.limit, (row) => row.id, toCell);
