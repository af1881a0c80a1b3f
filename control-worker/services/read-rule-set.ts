import { AppError } from "#schema/api/error.ts";
import type { PlacementRuleSet } from "#schema/api/rule-sets.ts";
import type { Deps } from "../deps.ts";
import { listCells } from "../store/cells.ts";
import { findRuleSet, listRuleSets as listRows, type RuleSetRow } from "../store/rule-sets.ts";
import { type Page, seqOf, toPage } from "./cursor.ts";
import { toRuleSet } from "./rule-set-view.ts";

export const requireRuleSet = async (deps: Deps, version: number): Promise<RuleSetRow> => {
  const row = await findRuleSet(deps.database, version);
  if (row === null) throw new AppError("not_found", "there is no such rule set");
  return row;
};

export const readRuleSet = async (deps: Deps, version: number): Promise<PlacementRuleSet> =>
  toRuleSet(await requireRuleSet(deps, version), await listCells(deps.database));

/** Rule sets, newest first. */
export const listRuleSets = async (
  deps: Deps,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<PlacementRuleSet>> => {
  const cells = await listCells(deps.database);
  const rows = await listRows(deps.database, seqOf(cursor, Number.MAX_SAFE_INTEGER), limit + 1);
  return toPage(
    rows,
    limit,
    (row) => String(row.version),
    (row) => toRuleSet(row, cells),
  );
};
