import type { CellId } from "./cell.ts";
import { hash53 } from "./hash.ts";
import { choosePlacement, isPlaceable, type PlacementCell, type PlacementRefusal, scoreOf } from "./placement.ts";
import type { VinKey } from "./vin-key.ts";

export const RULE_POLICIES = ["nearest", "weighted", "least_loaded", "static"] as const;
/** How a rule chooses among its cells: by region, by weighted rendezvous, by free share, or in the order in which they are named. */
export type RulePolicy = (typeof RULE_POLICIES)[number];

/** Attributes that a condition lists values of; null stands for vehicles without one. */
export const RULE_ATTRIBUTES = {
  models: "model",
  regions: "region",
  tiers: "tier",
  fleets: "fleet",
  tenants: "tenant",
  zones: "zone",
} as const;
export type RuleAttribute = keyof typeof RULE_ATTRIBUTES;

/** What a vehicle must be; every member that is there must hold. */
export type RuleCondition = {
  readonly vinPrefixes?: readonly string[] | undefined;
  readonly wmis?: readonly string[] | undefined;
  /** Both ends included. */
  readonly modelYears?: { readonly from: number; readonly to: number } | undefined;
  /** Share of the vehicles, always the same ones; more percent only add to them. */
  readonly percent?: number | undefined;
} & { readonly [Name in RuleAttribute]?: readonly (string | null)[] | undefined };

export type PlacementRule = {
  readonly id: string;
  readonly when: RuleCondition;
  /** Target cells by id and by tag; none of either means every cell. */
  readonly cells: readonly CellId[];
  readonly tags: readonly string[];
  readonly policy: RulePolicy;
  /** What becomes of a vehicle when no target takes it: the next rule that matches, or no cell. */
  readonly otherwise: "next" | "refuse";
};

/** A vehicle as rules see it. `current` is the cell of a vehicle that has one, in a dry run. */
export type RuleFacts = {
  readonly vin: string;
  readonly vinKey: VinKey;
  readonly modelYear: number | null;
  readonly current?: CellId | null;
} & {
  readonly [Name in (typeof RULE_ATTRIBUTES)[RuleAttribute]]: string | null;
};

/** A cell as rules see it. */
export type RuleCell = PlacementCell & { readonly region: string; readonly tags: readonly string[]; readonly hardLimit: number };

const hasPrefix = (vin: string, prefixes: readonly string[] | undefined): boolean =>
  prefixes === undefined || prefixes.some((prefix) => vin.startsWith(prefix));

const isWithin = (year: number | null, years: RuleCondition["modelYears"]): boolean =>
  years === undefined || (year !== null && years.from <= year && year <= years.to);

const ATTRIBUTES = Object.entries(RULE_ATTRIBUTES) as [RuleAttribute, (typeof RULE_ATTRIBUTES)[RuleAttribute]][];

/** Whether something that happens to a share of all vehicles happens to this one. */
export const isAmong = (percent: number, name: string, vinKey: VinKey): boolean => (hash53(`${name}/${vinKey}`) % 10_000) / 100 < percent;

/** Whether a rule is meant for a vehicle. */
export const matchRule = ({ id, when }: PlacementRule, facts: RuleFacts): boolean =>
  hasPrefix(facts.vin, when.vinPrefixes) &&
  hasPrefix(facts.vin, when.wmis) &&
  isWithin(facts.modelYear, when.modelYears) &&
  ATTRIBUTES.every(([name, fact]) => when[name]?.includes(facts[fact]) ?? true) &&
  (when.percent === undefined || isAmong(when.percent, id, facts.vinKey));

/** The cells that a rule names, whether they are open or not. */
export const targetsOf = <Cell extends Pick<RuleCell, "id" | "tags">>(rule: PlacementRule, cells: readonly Cell[]): readonly Cell[] =>
  rule.cells.length === 0 && rule.tags.length === 0
    ? cells
    : cells.filter((cell) => rule.cells.includes(cell.id) || cell.tags.some((tag) => rule.tags.includes(tag)));

/** How many leading labels two regions share: "eu-west-1" is nearer to "eu-west-2" than to "eu-north-1". */
const nearness = (a: string, b: string): number => {
  const labels = b.split("-");
  const differing = a.split("-").findIndex((label, index) => label !== labels[index]);
  return differing < 0 ? labels.length : differing;
};

/** The higher rank wins; equal ones are told apart by weighted rendezvous, which spreads vehicles over them. */
const RANKS: Readonly<Record<RulePolicy, (cell: RuleCell, facts: RuleFacts, rule: PlacementRule) => number>> = {
  nearest: (cell, { region }) => (region === null ? 0 : nearness(cell.region, region)),
  weighted: () => 0,
  least_loaded: (cell, { current }) => (cell.id === current ? Number.POSITIVE_INFINITY : cell.room / cell.hardLimit),
  static: (cell, _, rule) => (rule.cells.includes(cell.id) ? -rule.cells.indexOf(cell.id) : -rule.cells.length),
};

const best = (rule: PlacementRule, facts: RuleFacts, open: readonly RuleCell[]): CellId | null => {
  let chosen: { readonly id: CellId; readonly rank: number; readonly score: number } | null = null;
  for (const cell of open) {
    const rank = RANKS[rule.policy](cell, facts, rule);
    const score = scoreOf(facts.vinKey, cell);
    if (chosen === null || rank > chosen.rank || (rank === chosen.rank && score > chosen.score)) chosen = { id: cell.id, rank, score };
  }
  return chosen?.id ?? null;
};

/** `rule` is null when no rule decided. */
export type RuleChoice =
  | { readonly kind: "placed"; readonly cell: CellId; readonly rule: string | null }
  | { readonly kind: "refused"; readonly reason: PlacementRefusal; readonly rule: string | null };

/**
 * The cell of a vehicle by ordered rules: the first rule that matches and has an open target decides; without one, `choosePlacement` over
 * all cells. A cell outside the vehicle's zone, closed or full is no target (invariant I12).
 */
export const chooseByRules = (rules: readonly PlacementRule[], facts: RuleFacts, cells: readonly RuleCell[], now: number): RuleChoice => {
  for (const rule of rules) {
    if (!matchRule(rule, facts)) continue;
    const legal = targetsOf(rule, cells).filter((cell) => facts.zone === null || cell.zone === facts.zone);
    const cell = best(
      rule,
      facts,
      legal.filter((candidate) => isPlaceable(candidate, now)),
    );
    if (cell !== null) return { kind: "placed", cell, rule: rule.id };
    if (rule.otherwise === "refuse") {
      return { kind: "refused", reason: legal.length === 0 ? "no_cell_in_zone" : "no_capacity", rule: rule.id };
    }
  }
  return { ...choosePlacement(facts, cells, now), rule: null };
};
