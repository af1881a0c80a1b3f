import { and, asc, eq, gt, sql } from "drizzle-orm";
import { assignments, meta } from "#schema/db/control/tables.ts";
import { grantChanges, grants } from "#schema/db/control/vehicles.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type FeedRead, requirePosition } from "./changes.ts";
import { type Database, reading } from "./database.ts";
import { type Statement, statement } from "./statement.ts";

export type GrantRow = typeof grants.$inferSelect;
export type GrantChangeRow = Pick<typeof grantChanges.$inferSelect, "vin" | "vinKey" | "subject" | "role">;

export const findGrant = async (database: Database, vin: Vin, subject: string): Promise<GrantRow | null> =>
  (
    await reading(() =>
      database
        .select()
        .from(grants)
        .where(and(eq(grants.vin, vin), eq(grants.subject, subject))),
    )
  )[0] ?? null;

export const listGrants = (database: Database, vin: Vin, afterSubject: string, limit: number): Promise<GrantRow[]> =>
  reading(() =>
    database
      .select()
      .from(grants)
      .where(and(eq(grants.vin, vin), gt(grants.subject, afterSubject)))
      .orderBy(asc(grants.subject))
      .limit(limit),
  );

/** Gives a role, also to somebody from whom it was taken. */
export const upsertGrant = (vin: Vin, subject: string, role: OwnerRole, now: number): Statement =>
  statement(
    `insert into grants (vin, subject, role, updated_at) values (?, ?, ?, ?)
     on conflict (vin, subject) do update set role = excluded.role, updated_at = excluded.updated_at, revoked_at = null`,
    ...[vin, subject, role, now],
  );

/** Takes a right away, also one that only access tokens name. */
export const revokeGrant = (vin: Vin, subject: string, role: OwnerRole, now: number): Statement =>
  statement(
    `insert into grants (vin, subject, role, updated_at, revoked_at) values (?, ?, ?, ?, ?)
     on conflict (vin, subject) do update set updated_at = excluded.updated_at, revoked_at = excluded.revoked_at`,
    ...[vin, subject, role, now, now],
  );

/** The feed's end is counted also when its last rows are gone. */
const position = (database: Database) =>
  database
    .select({
      timeline: meta.timeline,
      seq: sql<number>`(select coalesce(max(seq), 0) from sqlite_sequence where name = 'grant_changes')`,
      trimmedSeq: sql<number>`0`,
    })
    .from(meta);

/** One cell's changes behind a position, in order. */
export const readGrantChanges = async (database: Database, cell: CellId, afterSeq: number, limit: number) => {
  const changes = database
    .select()
    .from(grantChanges)
    .where(and(eq(grantChanges.cell, cell), gt(grantChanges.seq, afterSeq)))
    .orderBy(asc(grantChanges.seq))
    .limit(limit);
  const [positions, rows] = await reading(() => database.batch([position(database), changes]));
  return { feed: requirePosition(positions), rows };
};

/** The grants of a cell's vehicles, by VIN and subject, behind `after`. */
export const readGrantSnapshot = async (
  database: Database,
  cell: CellId,
  after: { readonly vin: string; readonly subject: string },
  limit: number,
): Promise<FeedRead<GrantChangeRow>> => {
  const page = database
    .select({
      vin: grants.vin,
      vinKey: assignments.vinKey,
      subject: grants.subject,
      role: sql<OwnerRole | null>`case when ${grants.revokedAt} is null then ${grants.role} end`,
    })
    .from(grants)
    .innerJoin(assignments, eq(assignments.vin, grants.vin))
    .where(and(eq(assignments.cell, cell), sql`(${grants.vin}, ${grants.subject}) > (${after.vin}, ${after.subject})`))
    .orderBy(asc(grants.vin), asc(grants.subject))
    .limit(limit);
  const [positions, rows] = await reading(() => database.batch([position(database), page]));
  return { feed: requirePosition(positions), rows };
};
