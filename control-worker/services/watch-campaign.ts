import type { Campaign } from "#schema/api/campaigns.ts";
import type { Deps } from "../deps.ts";
import { readCampaign } from "./read-campaign.ts";

const INTERVAL_MS = 1_000;

/** The progress of a campaign, now and about once a second until all of its moves are closed. */
export async function* watchCampaign(deps: Deps, id: string, signal: AbortSignal): AsyncGenerator<Campaign> {
  while (!signal.aborted) {
    const campaign = await readCampaign(deps, id);
    yield campaign;
    const { done = 0, aborted = 0 } = campaign.moves;
    if (campaign.closedAt !== null && done + aborted === campaign.vehicles) return;
    await deps.sleep(INTERVAL_MS);
  }
}
