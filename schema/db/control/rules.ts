import { sql } from "drizzle-orm";
import { integer, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { RULE_SET_STATES } from "#schema/domain/rule-set.ts";
import type { PlacementRule } from "#schema/domain/rules.ts";

/** Placement rules by version; their text never changes, which a trigger sees to. */
export const ruleSets = sqliteTable(
  "rule_sets",
  {
    version: integer().primaryKey(),
    state: text({ enum: RULE_SET_STATES }).notNull(),
    comment: text().notNull(),
    rules: text({ mode: "json" }).$type<readonly PlacementRule[]>().notNull(),
    canaryPercent: real("canary_percent"),
    /** Its place in the order of activations: a roll-back goes to the one before. */
    activation: integer(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    activatedAt: integer("activated_at"),
  },
  (table) => [uniqueIndex("rule_sets_in_use").on(table.state).where(sql`${table.state} in ('active', 'canary')`)],
);
