import type { Campaign, CampaignRequest } from "#schema/api/campaigns.ts";
import type { Deps } from "../deps.ts";
import { insertCampaign } from "../store/campaigns.ts";
import { insertMoves } from "../store/move-writes.ts";
import { assertThat } from "../store/statement.ts";
import { commit } from "./commit.ts";
import { planCampaign } from "./plan-campaign.ts";
import { readCampaign, toCampaign } from "./read-campaign.ts";

/** Plans a campaign and lets it run. Whoever comes to a cell later does not join it. */
export const startCampaign = async (deps: Deps, request: CampaignRequest): Promise<Campaign> => {
  const id = crypto.randomUUID();
  await commit(deps.ledger, async () => {
    const { moves, skipped } = await planCampaign(deps, id, request);
    const now = deps.clock();
    const { reason, policy, start } = request;
    const row = { id, reason, policy, skipped, state: start ? "running" : "planned", createdAt: now } as const;
    // A vehicle that another campaign took meanwhile undoes this plan: the next one leaves it out, and says so.
    const isWhole = assertThat("(select count(*) from moves where campaign = ?) = ?", id, moves.length);
    const answer = toCampaign({ ...row, pausedFor: null, version: 1, closedAt: null }, moves.length > 0 ? { planned: moves.length } : {});
    const changes = [{ target: `campaign/${id}`, before: null, after: { reason, policy, vehicles: moves.length } }];
    return { statements: [insertCampaign(row), insertMoves(id, moves, now), isWhole], changes, answer };
  });
  const campaign = await readCampaign(deps, id);
  deps.logger.info("campaign started", { campaign: id, vehicles: campaign.vehicles });
  return campaign;
};
