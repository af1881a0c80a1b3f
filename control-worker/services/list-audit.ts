import type { AuditEntry } from "#schema/api/access.ts";
import type { Deps } from "../deps.ts";
import { type AuditRecord, listAudit as listRows } from "../store/audit.ts";
import { decodeCursor, type Page, toPage } from "./cursor.ts";

const toEntry = ({ at, before, after, ...row }: AuditRecord): AuditEntry => ({
  ...row,
  at: new Date(at).toISOString(),
  before: JSON.parse(before) as unknown,
  after: JSON.parse(after) as unknown,
});

const parseSeq = (position: unknown): number | null => (/^\d{1,15}$/.test(String(position)) ? Number(position) : null);

export const seqOf = (cursor: string | undefined, start: number): number => (cursor === undefined ? start : decodeCursor(cursor, parseSeq));

/** The audit, newest first. */
export const listAudit = async (deps: Deps, query: { cursor?: string | undefined; limit: number }): Promise<Page<AuditEntry>> => {
  const rows = await listRows(deps.database, seqOf(query.cursor, Number.MAX_SAFE_INTEGER), query.limit + 1);
  return toPage(rows, query.limit, (row) => String(row.seq), toEntry);
};
