import { eq, or, sql } from "drizzle-orm";
import { failovers } from "#schema/db/control/health.ts";
import { cells } from "#schema/db/control/tables.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type FailoverState, NEVER_FAILED_OVER } from "#schema/domain/failover.ts";
import type { FailoverPolicy } from "#schema/domain/failover-decision.ts";
import { type Database, reading } from "./database.ts";
import { assertThat, type Statement, statement } from "./statement.ts";

export type FailoverRow = typeof failovers.$inferSelect;

/** What is kept of a cell's failover, whether or not it ever had one. */
export type FailoverRecord = {
  readonly state: FailoverState;
  readonly policy: FailoverPolicy;
  readonly changedAt: number | null;
  readonly seizedAt: number | null;
};

export const toRecord = (row: FailoverRow | null): FailoverRecord =>
  row === null
    ? { state: NEVER_FAILED_OVER, policy: "automatic", changedAt: null, seizedAt: null }
    : {
        state: { phase: row.phase, term: row.term, standby: row.standby },
        policy: row.policy,
        changedAt: row.changedAt,
        seizedAt: row.seizedAt,
      };

export const listFailovers = (database: Database): Promise<FailoverRow[]> =>
  reading(() => database.select().from(failovers).orderBy(failovers.cell));

export const findFailover = async (database: Database, cell: CellId): Promise<FailoverRecord> =>
  toRecord((await reading(() => database.select().from(failovers).where(eq(failovers.cell, cell))))[0] ?? null);

export type Account = { readonly cell: CellId; readonly state: FailoverState };

/** Who serves the vehicles of a cell, and of those that it stands by for or has stood in for. */
export const listAccounts = async (database: Database, cell: CellId): Promise<Account[]> => {
  const rows = await reading(() =>
    database
      .select({ id: cells.id, failover: failovers })
      .from(cells)
      .leftJoin(failovers, eq(failovers.cell, cells.id))
      .where(or(eq(cells.id, cell), eq(cells.standby, cell), eq(failovers.standby, cell)))
      .orderBy(cells.id),
  );
  return rows.map(({ id, failover }) => ({ cell: id, state: toRecord(failover).state }));
};

/** Takes a cell's failover from one state to the next; refused as a whole when it is no longer in the first. */
export const advanceFailoverRow = (cell: CellId, before: FailoverState, after: FailoverState, now: number): readonly Statement[] => [
  assertThat(
    `coalesce((select phase || ' ' || term from failovers where cell = ?), ?) = ?`,
    cell,
    `${NEVER_FAILED_OVER.phase} ${NEVER_FAILED_OVER.term}`,
    `${before.phase} ${before.term}`,
  ),
  statement(
    `insert into failovers (cell, phase, term, standby, changed_at) values (?, ?, ?, ?, ?)
     on conflict (cell) do update set phase = excluded.phase, term = excluded.term, standby = excluded.standby, changed_at = excluded.changed_at`,
    cell,
    after.phase,
    after.term,
    after.standby,
    now,
  ),
];

/** The cell is gone for good; refused as a whole when its failover is in another term or phase. */
export const markSeized = (cell: CellId, term: number, now: number): readonly Statement[] => [
  assertThat("exists (select 1 from failovers where cell = ? and phase = 'failed_over' and term = ?)", cell, term),
  statement("update failovers set seized_at = ? where cell = ?", now, cell),
];

export type Seized = { readonly cell: CellId; readonly standby: CellId; readonly assigned: number; readonly version: number };

/** Seized cells whose vehicles are not all given over yet, or that are not retired yet. */
export const listSeized = async (database: Database): Promise<Seized[]> => {
  const rows = await reading(() =>
    database
      .select({ cell: cells.id, standby: failovers.standby, assigned: cells.assigned, version: cells.version })
      .from(failovers)
      .innerJoin(cells, eq(cells.id, failovers.cell))
      .where(sql`${failovers.seizedAt} is not null and ${cells.state} <> 'retired'`),
  );
  return rows.flatMap(({ standby, ...row }) => (standby === null ? [] : [{ ...row, standby }]));
};

export const setFailoverPolicy = (cell: CellId, policy: FailoverPolicy): Statement =>
  statement(
    `insert into failovers (cell, phase, term, policy) values (?, ?, ?, ?) on conflict (cell) do update set policy = excluded.policy`,
    cell,
    NEVER_FAILED_OVER.phase,
    NEVER_FAILED_OVER.term,
    policy,
  );

/** When each cell that went down lately did so. */
export const readWentDown = async (database: Database, since: number): Promise<number[]> =>
  (
    await reading(() =>
      database.all<{ at: number }>(
        sql`select max(opened_at) as at from alerts where kind = 'cell_down' and opened_at >= ${since} group by subject`,
      ),
    )
  ).map(({ at }) => at);
