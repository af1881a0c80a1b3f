export const CAMPAIGN_STATES = ["planned", "running", "paused", "done", "aborted"] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

export const CAMPAIGN_EVENTS = ["start", "pause", "resume", "abort", "finish"] as const;
export type CampaignEvent = (typeof CAMPAIGN_EVENTS)[number];

/** planned -> running <-> paused -> done | aborted. A paused campaign still ends what it has begun, so it too may finish. */
const TRANSITIONS: Readonly<Record<CampaignState, Partial<Record<CampaignEvent, CampaignState>>>> = {
  planned: { start: "running", abort: "aborted" },
  running: { pause: "paused", abort: "aborted", finish: "done" },
  paused: { resume: "running", abort: "aborted", finish: "done" },
  done: {},
  aborted: {},
};

/** The state after an event, or null when the table does not allow it. */
export const advanceCampaign = (state: CampaignState, event: CampaignEvent): CampaignState | null => TRANSITIONS[state][event] ?? null;
