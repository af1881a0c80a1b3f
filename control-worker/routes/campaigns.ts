import * as z from "zod";
import { Campaign, CampaignPlan, CampaignRequest } from "#schema/api/campaigns.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { planCampaign, summarizePlan } from "../services/plan-campaign.ts";
import { readCampaign } from "../services/read-campaign.ts";
import { startCampaign } from "../services/start-campaign.ts";
import { STEERINGS, type Steering, steerCampaign } from "../services/steer-campaign.ts";
import { watchCampaign } from "../services/watch-campaign.ts";

const CampaignPath = z.object({ id: z.string().max(64) });
/** 20,000 VINs. */
const MAX_CAMPAIGN_BYTES = 1024 * 1024;

async function* toEvents(campaigns: AsyncIterable<Campaign>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const campaign of campaigns) yield encoder.encode(`event: progress\ndata: ${JSON.stringify(campaign)}\n\n`);
}

const SUMMARIES: Readonly<Record<Steering, string>> = {
  pause: "Begin no further move of a campaign; what is under way goes on",
  resume: "Let a paused campaign go on",
  abort: "Give up every move of a campaign that is not switched yet; the others are finished",
};

const steeringOf = (steering: Steering): Operation =>
  defineOperation({
    method: "post",
    path: `/v1/campaigns/:id/${steering}`,
    summary: SUMMARIES[steering],
    access: ["operator"],
    params: CampaignPath,
    answer: Campaign,
    errors: ["not_found", "conflict"],
    handle: async ({ deps, params }) => {
      const campaign = await steerCampaign(deps, params.id, steering);
      return { body: campaign, version: campaign.version };
    },
  });

export const campaignOperations: readonly Operation[] = [
  defineOperation({
    method: "post",
    path: "/v1/campaigns/plan",
    summary: "What a campaign would do, and to whom it would not; nothing is changed",
    access: ["operator"],
    body: CampaignRequest,
    answer: CampaignPlan,
    errors: ["not_found"],
    maxBodyBytes: MAX_CAMPAIGN_BYTES,
    handle: async ({ deps, body }) => ({ body: summarizePlan(await planCampaign(deps, "plan", body), body) }),
  }),
  defineOperation({
    method: "post",
    path: "/v1/campaigns",
    summary: "Move vehicles, with their data, under one policy",
    access: ["operator"],
    idempotency: "accepted",
    body: CampaignRequest,
    answer: Campaign,
    status: 201,
    errors: ["not_found", "conflict"],
    maxBodyBytes: MAX_CAMPAIGN_BYTES,
    handle: async ({ deps, body }) => {
      const campaign = await startCampaign(deps, body);
      return { status: 201, body: campaign, version: campaign.version };
    },
  }),
  defineOperation({
    method: "get",
    path: "/v1/campaigns/:id",
    summary: "Read a campaign and its progress; with Accept: text/event-stream as it goes",
    access: ["viewer"],
    params: CampaignPath,
    answer: Campaign,
    errors: ["not_found"],
    handle: async ({ deps, params, request }) => {
      const campaign = await readCampaign(deps, params.id);
      if (!request.headers.get("Accept")?.includes("text/event-stream")) return { body: campaign, version: campaign.version };
      const events = toEvents(watchCampaign(deps, params.id, request.signal));
      const headers = { "Content-Type": "text/event-stream", "Cache-Control": "no-store" };
      return new Response(ReadableStream.from(events) as ReadableStream, { headers });
    },
  }),
  ...STEERINGS.map(steeringOf),
];
