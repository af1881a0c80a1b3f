import { and, desc, eq, isNull, lt } from "drizzle-orm";
import { type AlertSeverity, alerts } from "#schema/db/control/health.ts";
import { type Database, reading } from "./database.ts";
import { type Statement, statement } from "./statement.ts";

export type AlertRow = typeof alerts.$inferSelect;
export type NewAlert = { readonly kind: string; readonly subject: string; readonly severity: AlertSeverity; readonly detail: string };

/** Opens an alert; while one of this kind and subject is open, that one is counted up. */
export const openAlert = ({ kind, subject, severity, detail }: NewAlert, now: number): Statement =>
  statement(
    `insert into alerts (kind, subject, severity, detail, opened_at, seen_at) values (?, ?, ?, ?, ?, ?)
     on conflict (kind, subject) where resolved_at is null
     do update set count = count + 1, seen_at = excluded.seen_at, detail = excluded.detail, severity = excluded.severity`,
    kind,
    subject,
    severity,
    detail,
    now,
    now,
  );

/** What the alert was opened for is over. */
export const resolveAlert = (kind: string, subject: string, now: number): Statement =>
  statement("update alerts set resolved_at = ? where kind = ? and subject = ? and resolved_at is null", now, kind, subject);

export const acknowledgeAlert = (id: number, now: number): Statement =>
  statement("update alerts set acknowledged_at = coalesce(acknowledged_at, ?) where id = ?", now, id);

export const findAlert = async (database: Database, id: number): Promise<AlertRow | null> =>
  (await reading(() => database.select().from(alerts).where(eq(alerts.id, id))))[0] ?? null;

/** What open alerts of a kind are about. */
export const listOpenSubjects = async (database: Database, kind: string): Promise<ReadonlySet<string>> => {
  const rows = await reading(() =>
    database
      .select({ subject: alerts.subject })
      .from(alerts)
      .where(and(eq(alerts.kind, kind), isNull(alerts.resolvedAt))),
  );
  return new Set(rows.map(({ subject }) => subject));
};

/** Alerts, newest first. */
export const listAlerts = (database: Database, filter: { beforeId: number; isOpen: boolean }, limit: number): Promise<AlertRow[]> =>
  reading(() =>
    database
      .select()
      .from(alerts)
      .where(and(lt(alerts.id, filter.beforeId), filter.isOpen ? isNull(alerts.resolvedAt) : undefined))
      .orderBy(desc(alerts.id))
      .limit(limit),
  );
