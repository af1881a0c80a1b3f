import * as z from "zod";

/** Channels whose messages rules see. */
export const RULE_CHANNELS = ["telemetry", "events", "twin-reported", "command-result"] as const;

export type RuleChannel = (typeof RULE_CHANNELS)[number];

export const RULE_LIMITS = {
  expressionLength: 2_048,
  derivedValues: 16,
  actions: 5,
  rules: 200,
  windowSeconds: 86_400,
  /** How many matches a counting window may ask for: each vehicle's last ones are kept. */
  windowMatches: 1_000,
} as const;

const Name = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/, "1 to 64 letters, digits and underscores, no digit first");
/** An expression of CEL over `data`, `channel`, `vin`, `vinKey`, `receivedAt` and `derived`. Numbers of JSON are doubles. */
const Expression = z.string().min(1).max(RULE_LIMITS.expressionLength);
const Values = z.record(Name, Expression).refine((values) => Object.keys(values).length <= RULE_LIMITS.derivedValues, {
  message: `at most ${RULE_LIMITS.derivedValues} values`,
});
const Seconds = z.int().min(1).max(RULE_LIMITS.windowSeconds);

/** Over the messages of one vehicle that pass the filter. */
export const RuleWindow = z.discriminatedUnion("kind", [
  /** So many of them within the time. */
  z.object({ kind: z.literal("count"), seconds: Seconds, atLeast: z.int().min(1).max(RULE_LIMITS.windowMatches) }).strict(),
  /** How fast a number changes, per second, from the oldest message within the time to the newest. */
  z
    .object({ kind: z.literal("rate"), seconds: Seconds, value: Expression, above: z.number().optional(), below: z.number().optional() })
    .strict()
    .refine(({ above, below }) => above !== undefined || below !== undefined, "above or below is required"),
  /** None for so long, after there was one. */
  z.object({ kind: z.literal("absence"), seconds: Seconds }).strict(),
]);
export type RuleWindow = z.infer<typeof RuleWindow>;

const Topic = z.string().regex(/^[A-Za-z0-9_/-]{1,128}$/, "letters, digits, _, - and /");

export const RuleAction = z.discriminatedUnion("kind", [
  /** Stores a CloudEvent of the vehicle. It does not wake rules. */
  z.object({ kind: z.literal("event"), type: z.string().regex(/^[a-z][a-z0-9_.-]{0,127}$/), data: Values.default({}) }).strict(),
  /** Merges these values into the desired document (RFC 7396). */
  z.object({ kind: z.literal("twin"), desired: Values }).strict(),
  /** Publishes to `rules/{topic}` at the cell's broker, where no vehicle may read or write. */
  z.object({ kind: z.literal("mqtt"), topic: Topic, data: Values.default({}) }).strict(),
  /** Posts to an allow-listed host. */
  z.object({ kind: z.literal("webhook"), url: z.url({ protocol: /^https$/ }), data: Values.default({}) }).strict(),
  /** Sends to the centre with the cell's own events. */
  z.object({ kind: z.literal("centre"), type: z.string().regex(/^[a-z][a-z0-9_.-]{0,127}$/), data: Values.default({}) }).strict(),
  z
    .object({
      kind: z.literal("command"),
      type: z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/),
      arguments: Values.default({}),
      expiresInSeconds: z.int().min(1).max(86_400).default(60),
    })
    .strict(),
]);
export type RuleAction = z.infer<typeof RuleAction>;
export const RULE_ACTION_KINDS = RuleAction.options.map(({ shape }) => shape.kind.value);

export const Rule = z
  .object({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
    description: z.string().max(500).default(""),
    isEnabled: z.boolean().default(true),
    on: z.array(z.enum(RULE_CHANNELS)).min(1),
    /** A bool; a message on which it fails does not match. */
    filter: Expression.default("true"),
    /** Values that later expressions read as `derived.name`, in this order. */
    derive: Values.default({}),
    window: RuleWindow.nullable().default(null),
    /** After it acted for a vehicle the rule is quiet for that vehicle for so long. */
    quietSeconds: z.int().min(0).max(RULE_LIMITS.windowSeconds).default(60),
    actions: z.array(RuleAction).min(1).max(RULE_LIMITS.actions),
  })
  .strict();
export type Rule = z.infer<typeof Rule>;

/** Body of `PUT /v1/rules`, and the rules as they are kept: they are replaced together. */
export const RuleSet = z.object({ rules: z.array(Rule).max(RULE_LIMITS.rules) }).strict();
export type RuleSet = z.infer<typeof RuleSet>;

/** Body of `POST /v1/rules/dry-run`: what a rule would have done with stored telemetry. */
export const RuleDryRun = z
  .object({
    rule: Rule,
    vin: z.string(),
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
    limit: z.int().min(1).max(10_000).default(1_000),
  })
  .strict();
export type RuleDryRun = z.infer<typeof RuleDryRun>;

export const RuleDryRunAnswer = z.object({
  messages: z.int(),
  matched: z.int(),
  failed: z.int(),
  /** What it would have done, oldest first; at most 100. */
  fired: z.array(z.object({ at: z.iso.datetime(), messageId: z.string().nullable(), actions: z.array(z.unknown()) })),
  /** The first failures, as the expressions said them; at most 10. */
  errors: z.array(z.string()),
});
export type RuleDryRunAnswer = z.infer<typeof RuleDryRunAnswer>;
