import { asc, desc, gt, lt } from "drizzle-orm";
import { audit } from "#schema/db/control/access.ts";
import { type Database, reading } from "./database.ts";
import { type Statement, statement } from "./statement.ts";

export type AuditRecord = typeof audit.$inferSelect;

export const readAuditTail: Statement = statement("select seq, hash from audit order by seq desc limit 1");

const COLUMNS = ["seq", "at", "actor", "requestId", "action", "target", "before", "after", "hash"] as const;

export const insertAudit = (rows: readonly AuditRecord[]): Statement =>
  statement(
    `insert into audit (seq, at, actor, request_id, action, target, before, after, hash)
     select ${COLUMNS.map((_, index) => `new.value ->> ${index}`).join(", ")} from json_each(?) as new`,
    JSON.stringify(rows.map((row) => COLUMNS.map((column) => row[column]))),
  );

/** Newest first. */
export const listAudit = (database: Database, beforeSeq: number, limit: number): Promise<AuditRecord[]> =>
  reading(() => database.select().from(audit).where(lt(audit.seq, beforeSeq)).orderBy(desc(audit.seq)).limit(limit));

/** In the order of the chain. */
export const readAuditFrom = (database: Database, afterSeq: number, limit: number): Promise<AuditRecord[]> =>
  reading(() => database.select().from(audit).where(gt(audit.seq, afterSeq)).orderBy(asc(audit.seq)).limit(limit));
