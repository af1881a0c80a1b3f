import { createHash } from "node:crypto";
import type { Result } from "../store/statement.ts";
import type { Change, Origin } from "./port.ts";

/** The last row of the audit: the next one is chained to it. */
export type AuditTail = { readonly seq: number; readonly hash: string };

export type AuditRow = {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly requestId: string;
  readonly action: string;
  readonly target: string;
  readonly before: string;
  readonly after: string;
  readonly hash: string;
};

/** What stands before the first row. */
export const EMPTY_TAIL: AuditTail = { seq: 0, hash: "" };
/** The control plane's own doing. */
const OWN: Origin = { actor: "control", requestId: "", action: "" };

/** A row of `readAuditTail`. */
export const toAuditTail = (result: Result | undefined): AuditTail => {
  const row = result?.rows[0];
  return row === undefined ? EMPTY_TAIL : { seq: Number(row["seq"]), hash: String(row["hash"]) };
};

/** SHA-256 over a row and the hash before it: no row can be changed, taken out or put in without breaking every later one. */
export const auditHashOf = (row: Omit<AuditRow, "hash">, previousHash: string): string => {
  const { seq, at, actor, requestId, action, target, before, after } = row;
  const text = JSON.stringify([seq, at, actor, requestId, action, target, before, after, previousHash]);
  return createHash("sha256").update(text).digest("hex");
};

/** The rows that these changes add behind the tail. */
export const chainAudit = (tail: AuditTail, changes: readonly Change[], at: number): readonly AuditRow[] => {
  const rows: AuditRow[] = [];
  let last = tail;
  for (const { target, before, after, origin = OWN } of changes) {
    const row = { seq: last.seq + 1, at, ...origin, target, before: JSON.stringify(before), after: JSON.stringify(after) };
    last = { seq: row.seq, hash: auditHashOf(row, last.hash) };
    rows.push({ ...row, hash: last.hash });
  }
  return rows;
};
