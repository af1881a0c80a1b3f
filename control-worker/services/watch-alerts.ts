import type { Alert } from "#schema/api/alerts.ts";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import { type AlertRow, acknowledgeAlert, findAlert, listAlerts as listRows } from "../store/alerts.ts";
import { commit } from "./commit.ts";
import { afterOf, type Page, toPage } from "./cursor.ts";

const toTime = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

const toAlert = (row: AlertRow): Alert => ({
  id: row.id,
  kind: row.kind,
  subject: row.subject,
  severity: row.severity,
  detail: row.detail,
  count: row.count,
  openedAt: new Date(row.openedAt).toISOString(),
  seenAt: new Date(row.seenAt).toISOString(),
  acknowledgedAt: toTime(row.acknowledgedAt),
  resolvedAt: toTime(row.resolvedAt),
});

export type AlertQuery = { readonly isOpen: boolean; readonly cursor?: string | undefined; readonly limit: number };

/** Alerts, newest first: all of them, or those that are not resolved. */
export const listAlerts = async (deps: Deps, { isOpen, cursor, limit }: AlertQuery): Promise<Page<Alert>> => {
  const beforeId = Number(afterOf(cursor) || Number.MAX_SAFE_INTEGER);
  return toPage(await listRows(deps.database, { beforeId, isOpen }, limit + 1), limit, (row) => String(row.id), toAlert);
};

/** Says that somebody takes care of an alert; saying it again changes nothing. */
export const acknowledge = async (deps: Deps, id: number): Promise<Alert> => {
  const require = async (): Promise<AlertRow> => {
    const row = await findAlert(deps.database, id);
    if (row === null) throw new AppError("not_found", "there is no such alert");
    return row;
  };
  await commit(deps.ledger, async () => ((await require()).acknowledgedAt === null ? [acknowledgeAlert(id, deps.clock())] : []));
  return toAlert(await require());
};
