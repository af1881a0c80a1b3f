import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { CellId } from "#schema/domain/cell.ts";
import { FAILOVER_PHASES } from "#schema/domain/failover.ts";
import { FAILOVER_POLICIES } from "#schema/domain/failover-decision.ts";

/** Who serves a cell's vehicles; a cell without a row was never failed over. The topology follows by trigger (invariant I6). */
export const failovers = sqliteTable("failovers", {
  cell: text().$type<CellId>().primaryKey(),
  phase: text({ enum: FAILOVER_PHASES }).notNull(),
  term: integer().notNull(),
  standby: text().$type<CellId>(),
  policy: text({ enum: FAILOVER_POLICIES }).notNull().default("automatic"),
  changedAt: integer("changed_at"),
  /** When an operator confirmed that the cell is gone for good: its vehicles become the standby's own. */
  seizedAt: integer("seized_at"),
});

export const ALERT_SEVERITIES = ["warning", "critical"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** One open alert a kind and subject: what is seen again is counted. */
export const alerts = sqliteTable(
  "alerts",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    kind: text().notNull(),
    /** What it is about: a cell's or a campaign's id. */
    subject: text().notNull(),
    severity: text({ enum: ALERT_SEVERITIES }).notNull(),
    detail: text().notNull(),
    count: integer().notNull().default(1),
    openedAt: integer("opened_at").notNull(),
    seenAt: integer("seen_at").notNull(),
    acknowledgedAt: integer("acknowledged_at"),
    resolvedAt: integer("resolved_at"),
  },
  (table) => [
    uniqueIndex("alerts_open").on(table.kind, table.subject).where(sql`resolved_at is null`),
    index("alerts_by_time").on(table.openedAt),
  ],
);
