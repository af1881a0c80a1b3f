import * as z from "zod";
import { CAMPAIGN_STATES } from "#schema/domain/campaign-state.ts";
import { MOVE_FAILURES, MOVE_STATES } from "#schema/domain/move.ts";
import { CellIdField, TimeField, VinField, ZoneField } from "./fields.ts";
import { Move } from "./moves.ts";

/** The most vehicles of one campaign: it is planned and written as one. */
export const MAX_CAMPAIGN = 20_000;

const minuteOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day is HH:MM");

/** In what order, how fast and how far a campaign goes. */
export const CampaignPolicy = z
  .object({
    /** The share that is moved first; the rest follows when all of it has arrived. 0: no canary. */
    canaryShare: z.number().min(0).max(1).default(0.01),
    /** Moves begun a second, and moves under way at once. */
    ratePerSecond: z.number().gt(0).max(1_000).default(200),
    concurrency: z.int().min(1).max(5_000).default(500),
    /** The share of closed moves that may fail before the campaign pauses by itself. */
    maxFailureShare: z.number().min(0).max(1).default(0.05),
    /** How long the source waits for a vehicle to be quiet. */
    lockWaitSeconds: z.int().min(1).max(86_400).default(600),
    /** A vehicle that was moved more often than this within so many days is left out. */
    disruptionBudget: z
      .object({ moves: z.int().min(1).max(1_000), days: z.int().min(1).max(90) })
      .strict()
      .nullable()
      .default({ moves: 3, days: 7 }),
    /** When no move begins, by the source's zone (null: every zone), in UTC; `from` after `to` spans midnight. */
    quietHours: z
      .array(z.object({ zone: ZoneField.nullable(), from: minuteOfDay, to: minuteOfDay }).strict())
      .max(32)
      .default([]),
  })
  .strict();
export type CampaignPolicy = z.infer<typeof CampaignPolicy>;

/** Body of `POST /v1/campaigns` and `POST /v1/campaigns/plan`. */
export const CampaignRequest = z
  .object({
    reason: z.string().min(1).max(200),
    selection: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("vins"), vins: z.array(VinField).min(1).max(MAX_CAMPAIGN) }).strict(),
      z.object({ kind: z.literal("cell"), cell: CellIdField, limit: z.int().min(1).max(MAX_CAMPAIGN).default(MAX_CAMPAIGN) }).strict(),
    ]),
    /** Where to; null: wherever the rules of placement lead. */
    targets: z.array(CellIdField).min(1).max(100).nullable().default(null),
    policy: CampaignPolicy.prefault({}),
    /** Whether it runs at once; otherwise it waits to be resumed. */
    start: z.boolean().default(true),
  })
  .strict();
export type CampaignRequest = z.infer<typeof CampaignRequest>;

/** Why a selected vehicle is not moved. */
export const SKIP_REASONS = [
  "not_registered",
  "no_cell_yet",
  "already_there",
  "pinned",
  "in_another_move",
  "over_disruption_budget",
  "no_cell_in_zone",
  "no_capacity",
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

const count = z.int().min(0);
const Skipped = z.partialRecord(z.enum(SKIP_REASONS), count);

/** What a campaign would do. `estimatedSeconds` at the policy's rate, with every vehicle quiet. */
export const CampaignPlan = z.object({
  vehicles: count,
  flows: z.array(z.object({ from: CellIdField, to: CellIdField, vehicles: count })),
  skipped: Skipped,
  estimatedSeconds: z.number(),
});
export type CampaignPlan = z.infer<typeof CampaignPlan>;

/** A campaign as the API shows it, with its progress in numbers. */
export const Campaign = z.object({
  id: z.string(),
  reason: z.string(),
  state: z.enum(CAMPAIGN_STATES),
  pausedFor: z.enum(["operator", "failures"]).nullable(),
  policy: CampaignPolicy,
  vehicles: count,
  moves: z.partialRecord(z.enum(MOVE_STATES), count),
  failures: z.partialRecord(z.enum(MOVE_FAILURES), count),
  skipped: Skipped,
  /** Moves that have made no step for a minute; each says for whom it waits. */
  stragglers: z.array(Move),
  version: z.int(),
  createdAt: TimeField,
  closedAt: TimeField.nullable(),
});
export type Campaign = z.infer<typeof Campaign>;
