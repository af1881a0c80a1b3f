import type { Move } from "#schema/api/moves.ts";
import type { Deps } from "../deps.ts";
import { listMoves as listRows, type MoveFilter } from "../store/moves.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";
import { toMoveView } from "./move-view.ts";

export type MoveQuery = MoveFilter & { readonly cursor?: string | undefined; readonly limit: number };

/** Moves by id, filtered. */
export const listMoves = async (deps: Deps, { cursor, limit, ...filter }: MoveQuery): Promise<Page<Move>> =>
  toPage(await listRows(deps.database, filter, afterOf(cursor), limit + 1), limit, (row) => row.id, toMoveView);
