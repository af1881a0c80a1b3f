import { asc, eq, gt, sql } from "drizzle-orm";
import { cells } from "#schema/db/control/tables.ts";
import type { CellHealth, CellId } from "#schema/domain/cell.ts";
import { type Database, reading } from "./database.ts";
import { assertThat, build, type Statement, statement, statementOf } from "./statement.ts";

export type CellRow = typeof cells.$inferSelect;

export const findCell = async (database: Database, id: CellId): Promise<CellRow | null> =>
  (await reading(() => database.select().from(cells).where(eq(cells.id, id))))[0] ?? null;

export const listCells = (database: Database, afterId = "", limit = 10_000): Promise<CellRow[]> =>
  reading(() =>
    database
      .select()
      .from(cells)
      .where(gt(cells.id, afterId as CellId))
      .orderBy(asc(cells.id))
      .limit(limit),
  );

/** Draining cells with nothing left to give away. */
export const listEmptied = (database: Database): Promise<CellRow[]> =>
  reading(() =>
    database
      .select()
      .from(cells)
      .where(
        sql`${cells.state} = 'draining' and ${cells.assigned} = 0 and not exists (
              select 1 from moves where source = ${cells.id} and state in ('locking', 'copying', 'switching', 'unlocking'))`,
      ),
  );

export const insertCell = (row: typeof cells.$inferInsert): Statement => statementOf(build.insert(cells).values(row));

/** Changes a cell that is still at `version`; otherwise the whole write is refused. */
export const updateCell = (id: CellId, version: number, changes: Partial<CellRow>): readonly Statement[] => [
  assertThat("(select version from cells where id = ?) = ?", id, version),
  statementOf(
    build
      .update(cells)
      .set({ ...changes, version: version + 1 })
      .where(eq(cells.id, id)),
  ),
];

/** What a cell reports of itself; no new version for operators. The incarnation never sinks. */
export const updateObserved = (id: CellId, observed: { incarnation: number; release: string }): Statement =>
  statement("update cells set incarnation = max(incarnation, ?), release = ? where id = ?", observed.incarnation, observed.release, id);

/** What control has observed of a cell; no new version for operators. */
export const updateHealth = (id: CellId, before: CellHealth, after: CellHealth): Statement =>
  statement("update cells set health = ? where id = ? and health = ?", after, id, before);

/** The endpoints of these cells are at the edge now, unless they have changed since. */
export const markEndpointsPublished = (published: readonly { id: string; endpoints: string }[], now: number): Statement =>
  statement(
    `update cells set endpoints_published_at = ? where endpoints_published_at is null and exists (
       select 1 from json_each(?) as done where done.value ->> 0 = cells.id and done.value ->> 1 = cells.endpoints)`,
    now,
    JSON.stringify(published.map(({ id, endpoints }) => [id, endpoints])),
  );

export const readPlacementCells: Statement = statement(
  `select id, region, zone, tags, state, health, weight, hard_limit as hardLimit, hard_limit - assigned as room,
          endpoints_published_at as endpointsPublishedAt from cells`,
);
