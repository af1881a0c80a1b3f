import { type Campaign, CampaignPolicy } from "#schema/api/campaigns.ts";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import { type CampaignRow, countMoves, findCampaign, listStragglers, type MoveCount } from "../store/campaigns.ts";
import { toMoveView } from "./move-view.ts";

const STRAGGLING_AFTER_MS = 60_000;
const MAX_STRAGGLERS = 100;

/** Adds the counts up by one of their members, null left out. */
const sumBy = (counts: readonly MoveCount[], member: "state" | "failure"): Record<string, number> => {
  const sums = new Map<string, number>();
  for (const { [member]: name, count } of counts) if (name !== null) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries(sums);
};

export const requireCampaign = async (deps: Deps, id: string): Promise<CampaignRow> => {
  const row = await findCampaign(deps.database, id);
  if (row === null) throw new AppError("not_found", "there is no such campaign");
  return row;
};

type Progress = { readonly moves: Campaign["moves"]; readonly failures: Campaign["failures"]; readonly stragglers: Campaign["stragglers"] };

/** A campaign as the API shows it. */
export const toCampaign = (row: CampaignRow, moves: Campaign["moves"], more: Partial<Progress> = {}): Campaign => ({
  id: row.id,
  reason: row.reason,
  state: row.state,
  pausedFor: row.pausedFor,
  policy: CampaignPolicy.parse(row.policy),
  vehicles: Object.values(moves).reduce((sum, count) => sum + count, 0),
  moves,
  failures: {},
  skipped: row.skipped,
  stragglers: [],
  ...more,
  version: row.version,
  createdAt: new Date(row.createdAt).toISOString(),
  closedAt: row.closedAt === null ? null : new Date(row.closedAt).toISOString(),
});

/** A campaign with its progress as it is now. */
export const readCampaign = async (deps: Deps, id: string): Promise<Campaign> => {
  const row = await requireCampaign(deps, id);
  const counts = await countMoves(deps.database, id);
  const stragglers = await listStragglers(deps.database, id, deps.clock() - STRAGGLING_AFTER_MS, MAX_STRAGGLERS);
  return toCampaign(row, sumBy(counts, "state"), { failures: sumBy(counts, "failure"), stragglers: stragglers.map(toMoveView) });
};
