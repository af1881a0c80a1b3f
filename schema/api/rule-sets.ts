import * as z from "zod";
import type { CellId } from "#schema/domain/cell.ts";
import { FINDING_KINDS } from "#schema/domain/rule-review.ts";
import { RULE_SET_STATES } from "#schema/domain/rule-set.ts";
import { RULE_POLICIES } from "#schema/domain/rules.ts";
import { CellIdField, TimeField, VinField, ZoneField } from "./fields.ts";

const MAX_RULES = 500;
const values = z.array(z.string().min(1).max(64).nullable()).min(1).max(1_000).optional();
const prefixes = (longest: number) =>
  z
    .array(z.string().regex(new RegExp(`^[A-HJ-NPR-Z0-9]{1,${longest}}$`)))
    .min(1)
    .max(1_000)
    .optional();

const Condition = z
  .object({
    vinPrefixes: prefixes(17),
    wmis: prefixes(3),
    /** Both ends included. */
    modelYears: z.object({ from: z.int().min(1980).max(2100), to: z.int().min(1980).max(2100) }).optional(),
    models: values,
    regions: values,
    tiers: values,
    fleets: values,
    tenants: values,
    zones: z.array(ZoneField.nullable()).min(1).max(100).optional(),
    /** Share of the vehicles, always the same ones. */
    percent: z.number().min(0).max(100).optional(),
  })
  .strict();

/** One placement rule; a condition without members fits every vehicle, null in a list those without the attribute. */
export const PlacementRule = z
  .object({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
    when: Condition.default({}),
    /** Targets by id and by tag; none of either: every cell. */
    cells: z
      .array(CellIdField)
      .max(1_000)
      .default([] as CellId[]),
    tags: z.array(z.string().min(1).max(64)).max(32).default([]),
    policy: z.enum(RULE_POLICIES).default("weighted"),
    /** When no target takes the vehicle: the next rule that fits, or no cell at all. */
    otherwise: z.enum(["next", "refuse"]).default("next"),
  })
  .strict();

/** Body of `POST /v1/rule-sets`: the first rule that fits decides. */
export const RuleSetDraft = z
  .object({
    comment: z.string().max(500).default(""),
    rules: z
      .array(PlacementRule)
      .max(MAX_RULES)
      .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, "each rule has an id of its own"),
  })
  .strict();
export type RuleSetDraft = z.infer<typeof RuleSetDraft>;

/** What is noteworthy about a rule; `isFault`: the set cannot be put to use. */
export const RuleFinding = z.object({
  kind: z.enum(FINDING_KINDS),
  rule: z.string(),
  by: z.string().nullable(),
  detail: z.string(),
  isFault: z.boolean(),
});

export const PlacementRuleSet = z.object({
  version: z.int().min(1),
  state: z.enum(RULE_SET_STATES),
  comment: z.string(),
  rules: z.array(PlacementRule),
  /** Over the cells that there are now. */
  findings: z.array(RuleFinding),
  canaryPercent: z.number().nullable(),
  createdBy: z.string(),
  createdAt: TimeField,
  activatedAt: TimeField.nullable(),
});
export type PlacementRuleSet = z.infer<typeof PlacementRuleSet>;

export const CanaryRequest = z.object({ percent: z.number().gt(0).max(100) }).strict();

/** Answer of a roll-back: what placements go by now. */
export const RulesInUse = z.object({ active: z.int().nullable(), canary: z.int().nullable() });
export type RulesInUse = z.infer<typeof RulesInUse>;

/**
 * NDJSON lines of a dry run: each vehicle that would go elsewhere (when asked for), progress, and one summary. A vehicle stays where its
 * rule leaves it; `to` is null for one that no cell would take.
 */
export const DryRunReport = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("change"),
    vin: VinField,
    from: CellIdField.nullable(),
    to: CellIdField.nullable(),
    rule: z.string().nullable(),
  }),
  z.object({ kind: z.literal("progress"), vehicles: z.int(), changed: z.int(), unplaced: z.int() }),
  z.object({
    kind: z.literal("done"),
    vehicles: z.int(),
    changed: z.int(),
    unplaced: z.int(),
    /** From where to where, most vehicles first. */
    flows: z.array(z.object({ from: CellIdField.nullable(), to: CellIdField.nullable(), rule: z.string().nullable(), vehicles: z.int() })),
    /** Vehicles by the rule that decided. */
    rules: z.array(z.object({ rule: z.string().nullable(), vehicles: z.int() })),
  }),
]);
export type DryRunReport = z.infer<typeof DryRunReport>;
