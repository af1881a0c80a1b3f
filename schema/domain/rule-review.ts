import type { CellId } from "./cell.ts";
import { type PlacementRule, RULE_ATTRIBUTES, type RuleAttribute, type RuleCondition, targetsOf } from "./rules.ts";

export const FINDING_KINDS = [
  "never_matches",
  "unknown_cell",
  "no_target",
  "zone_mismatch",
  "unreachable",
  "shadowed",
  "overlaps",
] as const;
/**
 * What is noteworthy about a rule: its condition contradicts itself; it names a cell that there is none of; no cell has its tags; all its
 * targets lie outside the zones it is for; an earlier rule takes all its vehicles for good; an earlier rule takes them while it has room;
 * an earlier rule with other targets takes some of them.
 */
export type FindingKind = (typeof FINDING_KINDS)[number];
export type Finding = { readonly kind: FindingKind; readonly rule: string; readonly by: string | null; readonly detail: string };

/** With one of these a rule set is not put to use. */
export const FAULTS: readonly FindingKind[] = ["never_matches", "unknown_cell", "no_target", "zone_mismatch", "unreachable"];

export type ReviewCell = { readonly id: CellId; readonly tags: readonly string[]; readonly zone: string | null };

const NAMES = Object.keys(RULE_ATTRIBUTES) as RuleAttribute[];

const common = (a: readonly string[], b: readonly string[]): string[] =>
  a.flatMap((one) => b.flatMap((other) => (one.startsWith(other) ? [one] : other.startsWith(one) ? [other] : [])));

/** The VIN prefixes that a condition comes down to. */
const prefixesOf = ({ vinPrefixes = [""], wmis = [""] }: RuleCondition): string[] => common(vinPrefixes, wmis);

const yearsOf = ({ modelYears }: RuleCondition) => modelYears ?? { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

const isContradictory = (when: RuleCondition): boolean =>
  prefixesOf(when).length === 0 ||
  yearsOf(when).from > yearsOf(when).to ||
  NAMES.some((name) => when[name]?.length === 0) ||
  when.percent === 0;

/** Whether every vehicle of `b` is one of `a` too. */
const covers = (a: RuleCondition, b: RuleCondition): boolean => {
  const wide = prefixesOf(a);
  const isAll = (a.percent ?? 100) >= 100;
  const isYearCovered =
    a.modelYears === undefined ||
    (b.modelYears !== undefined && a.modelYears.from <= b.modelYears.from && b.modelYears.to <= a.modelYears.to);
  const isListed = (name: RuleAttribute): boolean => {
    const [listed, asked] = [a[name], b[name]];
    return listed === undefined || (asked?.every((value) => listed.includes(value)) ?? false);
  };
  return isAll && prefixesOf(b).every((prefix) => wide.some((other) => prefix.startsWith(other))) && isYearCovered && NAMES.every(isListed);
};

/** Whether some vehicle may be one of both. */
const meet = (a: RuleCondition, b: RuleCondition): boolean => {
  const [first, second] = [yearsOf(a), yearsOf(b)];
  const share = (name: RuleAttribute): boolean =>
    a[name] === undefined || b[name] === undefined || a[name].some((value) => b[name]?.includes(value));
  return common(prefixesOf(a), prefixesOf(b)).length > 0 && first.from <= second.to && second.from <= first.to && NAMES.every(share);
};

const aimOf = ({ cells, tags, policy }: PlacementRule): string => JSON.stringify([[...cells].sort(), [...tags].sort(), policy]);

const reviewTargets = (rule: PlacementRule, cells: readonly ReviewCell[]): Finding[] => {
  const found = (kind: FindingKind, detail: string): Finding => ({ kind, rule: rule.id, by: null, detail });
  const unknown = rule.cells.filter((id) => !cells.some((cell) => cell.id === id));
  const targets = targetsOf(rule, cells);
  const isOutside = targets.length > 0 && rule.when.zones?.every((zone) => zone !== null && targets.every((cell) => cell.zone !== zone));
  return [
    ...unknown.map((id) => found("unknown_cell", `there is no cell ${id}`)),
    ...(targets.length === 0 && unknown.length === 0 ? [found("no_target", `no cell is tagged ${rule.tags.join(" or ")}`)] : []),
    ...(isOutside ? [found("zone_mismatch", "every target lies outside the zones that the rule is for")] : []),
  ];
};

/** What one earlier rule means for a later one; null: nothing. */
const reviewPair = (earlier: PlacementRule, later: PlacementRule): Finding | null => {
  const found = (kind: FindingKind, detail: string): Finding => ({ kind, rule: later.id, by: earlier.id, detail });
  if (covers(earlier.when, later.when)) {
    if (earlier.otherwise === "refuse") return found("unreachable", `${earlier.id} takes or refuses every vehicle of ${later.id}`);
    return found("shadowed", `${later.id} is reached only when ${earlier.id} has no room`);
  }
  if (!meet(earlier.when, later.when) || aimOf(earlier) === aimOf(later)) return null;
  return found("overlaps", `vehicles that fit both go by ${earlier.id}`);
};

/** Everything noteworthy about ordered rules over these cells, rule by rule. */
export const reviewRules = (rules: readonly PlacementRule[], cells: readonly ReviewCell[]): readonly Finding[] =>
  rules.flatMap((rule, index) => {
    if (isContradictory(rule.when)) {
      return [{ kind: "never_matches", rule: rule.id, by: null, detail: "no vehicle can fit the condition" } satisfies Finding];
    }
    const earlier = rules.slice(0, index).filter(({ when }) => !isContradictory(when));
    return [...reviewTargets(rule, cells), ...earlier.map((other) => reviewPair(other, rule)).filter((finding) => finding !== null)];
  });
