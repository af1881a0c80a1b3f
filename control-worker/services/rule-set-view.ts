import type { PlacementRuleSet } from "#schema/api/rule-sets.ts";
import { FAULTS, type ReviewCell, reviewRules } from "#schema/domain/rule-review.ts";
import type { RuleSetRow } from "../store/rule-sets.ts";

const toTime = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

/** A rule set as the API shows it, reviewed over these cells. */
export const toRuleSet = (row: RuleSetRow, cells: readonly ReviewCell[]): PlacementRuleSet => ({
  version: row.version,
  state: row.state,
  comment: row.comment,
  rules: row.rules as PlacementRuleSet["rules"],
  findings: reviewRules(row.rules, cells).map((finding) => ({ ...finding, isFault: FAULTS.includes(finding.kind) })),
  canaryPercent: row.canaryPercent,
  createdBy: row.createdBy,
  createdAt: new Date(row.createdAt).toISOString(),
  activatedAt: toTime(row.activatedAt),
});
