import type { Campaign } from "#schema/api/campaigns.ts";
import { AppError } from "#schema/api/error.ts";
import { advanceCampaign, type CampaignEvent, type CampaignState } from "#schema/domain/campaign-state.ts";
import type { Deps } from "../deps.ts";
import { updateCampaign } from "../store/campaigns.ts";
import type { Statement } from "../store/statement.ts";
import { commit } from "./commit.ts";
import { readCampaign, requireCampaign } from "./read-campaign.ts";

export const STEERINGS = ["pause", "resume", "abort"] as const;
export type Steering = (typeof STEERINGS)[number];

const EVENTS: Readonly<Record<Steering, (state: CampaignState) => CampaignEvent>> = {
  pause: () => "pause",
  resume: (state) => (state === "planned" ? "start" : "resume"),
  abort: () => "abort",
};
/** Where each leads: steering a campaign to where it is changes nothing. */
const STATES = { pause: "paused", resume: "running", abort: "aborted" } as const satisfies Record<Steering, CampaignState>;

const planSteering = async (deps: Deps, id: string, steering: Steering): Promise<readonly Statement[]> => {
  const row = await requireCampaign(deps, id);
  if (row.state === STATES[steering]) return [];
  const state = advanceCampaign(row.state, EVENTS[steering](row.state));
  if (state === null) throw new AppError("conflict", `a campaign that is ${row.state} cannot ${steering}`);
  const changes = { state, pausedFor: state === "paused" ? ("operator" as const) : null };
  return updateCampaign(id, row.version, { ...changes, ...(state === "aborted" && { closedAt: deps.clock() }) });
};

/**
 * Pauses (what is under way goes on), resumes or aborts a campaign. An abort gives up every move whose switch is not committed yet; the others go forward.
 */
export const steerCampaign = async (deps: Deps, id: string, steering: Steering): Promise<Campaign> => {
  await commit(deps.ledger, () => planSteering(deps, id, steering));
  deps.logger.info("campaign steered", { campaign: id, steering });
  return readCampaign(deps, id);
};
