import { desc, eq, inArray, lt, sql } from "drizzle-orm";
import { ruleSets } from "#schema/db/control/rules.ts";
import { type Database, reading } from "./database.ts";
import { assertThat, build, type Statement, statement, statementOf } from "./statement.ts";

export type RuleSetRow = typeof ruleSets.$inferSelect;
export type RuleSetSummary = Pick<RuleSetRow, "version" | "state" | "activation" | "canaryPercent">;

const SUMMARY = {
  version: ruleSets.version,
  state: ruleSets.state,
  activation: ruleSets.activation,
  canaryPercent: ruleSets.canaryPercent,
};

export const findRuleSet = async (database: Database, version: number): Promise<RuleSetRow | null> =>
  (await reading(() => database.select().from(ruleSets).where(eq(ruleSets.version, version))))[0] ?? null;

/** Newest first. */
export const listRuleSets = (database: Database, beforeVersion: number, limit: number): Promise<RuleSetRow[]> =>
  reading(() => database.select().from(ruleSets).where(lt(ruleSets.version, beforeVersion)).orderBy(desc(ruleSets.version)).limit(limit));

/** The sets that placements go by. */
export const findInUse = (database: Database): Promise<RuleSetSummary[]> =>
  reading(() =>
    database
      .select(SUMMARY)
      .from(ruleSets)
      .where(inArray(ruleSets.state, ["active", "canary"])),
  );

/** The set that was active before one of this place in the order; null when it was the first. */
export const findActivatedBefore = async (database: Database, activation: number): Promise<RuleSetSummary | null> =>
  (
    await reading(() =>
      database.select(SUMMARY).from(ruleSets).where(lt(ruleSets.activation, activation)).orderBy(desc(ruleSets.activation)).limit(1),
    )
  )[0] ?? null;

export const findNewestVersion = async (database: Database): Promise<number> =>
  (await reading(() => database.select({ version: sql<number>`coalesce(max(${ruleSets.version}), 0)` }).from(ruleSets)))[0]?.version ?? 0;

export const insertRuleSet = (row: RuleSetRow): Statement => statementOf(build.insert(ruleSets).values(row));

/** Changes what a set is used for while it still is what it was. */
export const updateRuleSet = (known: RuleSetSummary, changes: Partial<RuleSetRow>): readonly Statement[] => [
  assertThat("(select state from rule_sets where version = ?) = ?", known.version, known.state),
  statementOf(build.update(ruleSets).set(changes).where(eq(ruleSets.version, known.version))),
];

/** Gives a set the next place in the order of activations. */
export const setActivation = (version: number): Statement =>
  statement("update rule_sets set activation = (select coalesce(max(activation), 0) + 1 from rule_sets) where version = ?", version);

/** The sets in use; the rules only of those whose versions are not known yet, since they never change. */
export const readRulesInUse = (knownVersions: readonly number[]): Statement =>
  statement(
    `select version, state, canary_percent as percent,
            case when version in (select value from json_each(?)) then null else rules end as rules
     from rule_sets where state in ('active', 'canary')`,
    JSON.stringify(knownVersions),
  );
