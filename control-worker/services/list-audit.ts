import type { AuditEntry } from "#schema/api/access.ts";
import type { Deps } from "../deps.ts";
import { type AuditRecord, listAudit as listRows } from "../store/audit.ts";
import { type Page, seqOf, toPage } from "./cursor.ts";

const toEntry = ({ at, before, after, ...row }: AuditRecord): AuditEntry => ({
  ...row,
  at: new Date(at).toISOString(),
  before: JSON.parse(before) as unknown,
  after: JSON.parse(after) as unknown,
});

/** The audit, newest first. */
export const listAudit = async (deps: Deps, query: { cursor?: string | undefined; limit: number }): Promise<Page<AuditEntry>> => {
  const rows = await listRows(deps.database, seqOf(query.cursor, Number.MAX_SAFE_INTEGER), query.limit + 1);
  return toPage(rows, query.limit, (row) => String(row.seq), toEntry);
};
