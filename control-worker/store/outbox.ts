import { and, asc, eq, gte, isNull, lt, lte, sql } from "drizzle-orm";
import { type Lane, outbox } from "#schema/db/control/tables.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type Database, reading } from "./database.ts";
import { type Statement, statement } from "./statement.ts";

export type PendingRoute = { readonly seq: number; readonly vin: Vin | ""; readonly attempts: number; readonly createdAt: number };

/** The oldest route changes of a lane that are due. */
export const listPendingRoutes = (database: Database, lane: Lane, now: number, limit: number): Promise<PendingRoute[]> =>
  reading(() =>
    database
      .select({ seq: outbox.seq, vin: outbox.vin, attempts: outbox.attempts, createdAt: outbox.createdAt })
      .from(outbox)
      .where(and(eq(outbox.kind, "route"), eq(outbox.lane, lane), isNull(outbox.publishedAt), lte(outbox.notBefore, now)))
      .orderBy(asc(outbox.seq))
      .limit(limit),
  );

/** Whether any route waits to be published. */
export const hasPendingRoutes = async (database: Database): Promise<boolean> => {
  const isPending = and(eq(outbox.kind, "route"), isNull(outbox.publishedAt));
  return (await reading(() => database.select({ seq: outbox.seq }).from(outbox).where(isPending).limit(1))).length > 0;
};

/** The newest topology change that waits; null when none does. */
export const findPendingTopology = async (database: Database): Promise<number | null> =>
  (
    await reading(() =>
      database
        .select({ seq: sql<number | null>`max(${outbox.seq})` })
        .from(outbox)
        .where(and(eq(outbox.kind, "topology"), isNull(outbox.publishedAt))),
    )
  )[0]?.seq ?? null;

export const markPublished = (seqs: readonly number[], now: number): Statement =>
  statement("update outbox set published_at = ? where seq in (select value from json_each(?))", now, JSON.stringify(seqs));

export const deferRoutes = (deferrals: readonly { seq: number; notBefore: number }[]): Statement =>
  statement(
    `update outbox set attempts = attempts + 1, not_before = later.value ->> 1 from json_each(?) as later where outbox.seq = later.value ->> 0`,
    JSON.stringify(deferrals.map(({ seq, notBefore }) => [seq, notBefore])),
  );

export const markTopologyPublished = (throughSeq: number, now: number): Statement =>
  statement("update outbox set published_at = ? where kind = 'topology' and published_at is null and seq <= ?", now, throughSeq);

export type Backlog = { readonly lane: Lane; readonly pending: number; readonly oldestAt: number };

/** What waits to be published, by lane. */
export const readBacklog = (database: Database): Promise<Backlog[]> =>
  reading(() =>
    database
      .select({ lane: outbox.lane, pending: sql<number>`count(*)`, oldestAt: sql<number>`min(${outbox.createdAt})` })
      .from(outbox)
      .where(and(isNull(outbox.publishedAt)))
      .groupBy(outbox.lane),
  );

/** Sends these routes to KV once more; a key of KV in the place of a VIN is one that no vehicle has. */
export const enqueueRoutes = (vinsOrKeys: readonly string[], lane: Lane, now: number): Statement =>
  statement(
    "insert into outbox (kind, vin, lane, created_at) select 'route', value, ?, ? from json_each(?)",
    lane,
    now,
    JSON.stringify(vinsOrKeys),
  );

/** Sends the routes of a stretch of VINs to KV once more, behind every single change. */
export const enqueueStretch = (afterVin: string, throughVin: string, now: number): Statement =>
  statement(
    "insert into outbox (kind, vin, lane, created_at) select 'route', vin, 'bulk', ? from assignments where vin > ? and vin <= ? order by vin",
    now,
    afterVin,
    throughVin,
  );

/** Vehicles whose route was published in a stretch of time. */
export const listPublishedRoutes = async (database: Database, from: number, until: number, limit: number): Promise<Vin[]> => {
  const isIn = and(eq(outbox.kind, "route"), gte(outbox.publishedAt, from), lt(outbox.publishedAt, until));
  const rows = await reading(() => database.selectDistinct({ vin: outbox.vin }).from(outbox).where(isIn).limit(limit));
  return rows.map(({ vin }) => vin).filter((vin): vin is Vin => vin !== "");
};
