import type { AuditVerdict } from "#schema/api/access.ts";
import type { Deps } from "../deps.ts";
import { type AuditTail, auditHashOf, EMPTY_TAIL } from "../ledger/audit-chain.ts";
import { readAuditFrom } from "../store/audit.ts";
import { encodeCursor, seqOf } from "./cursor.ts";

const PAGE = 1_000;
/** Entries that one call looks at. */
const MAX_PAGES = 20;

/** Where the chain stands before the entry behind `seq`. */
const tailAt = async (deps: Deps, seq: number): Promise<AuditTail> => (await readAuditFrom(deps.database, seq - 1, 1)).at(0) ?? EMPTY_TAIL;

/** Follows the chain from a cursor, or from its beginning, for a bounded stretch. */
export const verifyAudit = async (deps: Deps, cursor: string | undefined): Promise<AuditVerdict> => {
  const start = seqOf(cursor, 0);
  let { seq, hash } = start === 0 ? EMPTY_TAIL : await tailAt(deps, start);
  let entries = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const rows = await readAuditFrom(deps.database, seq, PAGE);
    for (const row of rows) {
      if (row.seq !== seq + 1 || row.hash !== auditHashOf(row, hash)) {
        return { isIntact: false, entries, brokenAt: row.seq, head: { seq, hash }, cursor: null };
      }
      entries += 1;
      ({ seq, hash } = row);
    }
    if (rows.length < PAGE) return { isIntact: true, entries, brokenAt: null, head: { seq, hash }, cursor: null };
  }
  return { isIntact: true, entries, brokenAt: null, head: { seq, hash }, cursor: encodeCursor(String(seq)) };
};
