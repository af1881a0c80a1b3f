import { eq, sql } from "drizzle-orm";
import { campaigns, moves } from "#schema/db/control/moves.ts";
import { assignments, cells } from "#schema/db/control/tables.ts";
import type { CampaignState } from "#schema/domain/campaign-state.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { MoveFailure, MoveState } from "#schema/domain/move.ts";
import { type Database, reading } from "./database.ts";
import type { MoveFact, MoveRow } from "./moves.ts";
import { assertThat, build, type Statement, statement, statementOf } from "./statement.ts";

export type CampaignRow = typeof campaigns.$inferSelect;

export const findCampaign = async (database: Database, id: string): Promise<CampaignRow | null> =>
  (await reading(() => database.select().from(campaigns).where(eq(campaigns.id, id))))[0] ?? null;

export const listCampaignsIn = (database: Database, state: CampaignState): Promise<CampaignRow[]> =>
  reading(() => database.select().from(campaigns).where(eq(campaigns.state, state)).orderBy(campaigns.createdAt));

export const insertCampaign = (row: typeof campaigns.$inferInsert): Statement => statementOf(build.insert(campaigns).values(row));

/** Changes a campaign that is still at `version`; otherwise the whole write is refused. */
export const updateCampaign = (id: string, version: number, changes: Partial<CampaignRow>): readonly Statement[] => [
  assertThat("(select version from campaigns where id = ?) = ?", id, version),
  statementOf(
    build
      .update(campaigns)
      .set({ ...changes, version: version + 1 })
      .where(eq(campaigns.id, id)),
  ),
];

/** Ends running campaigns all of whose moves are closed. */
export const closeCampaigns = (now: number): Statement =>
  statement(
    `update campaigns set state = 'done', closed_at = ?, version = version + 1 where state in ('running', 'paused') and not exists (
       select 1 from moves where campaign = campaigns.id and state not in ('done', 'aborted'))`,
    now,
  );

export type MoveCount = { readonly state: MoveState; readonly failure: MoveFailure | null; readonly count: number };

/** How many moves of a campaign are in each state, by failure. */
export const countMoves = (database: Database, campaign: string): Promise<MoveCount[]> =>
  reading(() =>
    database
      .select({ state: moves.state, failure: moves.failure, count: sql<number>`count(*)` })
      .from(moves)
      .where(eq(moves.campaign, campaign))
      .groupBy(moves.state, moves.failure),
  );

export const listStragglers = (database: Database, campaign: string, updatedBefore: number, limit: number): Promise<MoveRow[]> =>
  reading(() =>
    database
      .select()
      .from(moves)
      .where(
        sql`${moves.campaign} = ${campaign} and ${moves.state} in ('locking', 'copying', 'switching', 'arriving', 'unlocking')
            and ${moves.updatedAt} < ${updatedBefore}`,
      )
      .orderBy(moves.updatedAt)
      .limit(limit),
  );

export type Startable = MoveFact & { readonly room: number };

/** Planned moves of a campaign whose cells can take part in a move now; none out of the cells named. */
export const listStartable = (database: Database, campaign: string, except: readonly CellId[], limit: number): Promise<Startable[]> =>
  reading(() =>
    database
      .select({
        row: moves,
        room: sql<number>`target.hard_limit - target.assigned`,
        truth: { cell: assignments.cell, epoch: assignments.epoch },
      })
      .from(moves)
      .leftJoin(assignments, eq(assignments.vin, moves.vin))
      .innerJoin(cells, eq(cells.id, moves.source))
      .innerJoin(sql`cells as target`, sql`target.id = ${moves.target}`)
      .where(
        sql`${moves.campaign} = ${campaign} and ${moves.state} = 'planned' and ${cells.health} in ('healthy', 'suspect')
            and ${moves.source} not in (select value from json_each(${JSON.stringify(except)}))
            and target.state = 'active' and target.health = 'healthy' and target.assigned < target.hard_limit`,
      )
      .limit(limit),
  );

/** Open moves of campaigns that were aborted, and that can still be given up. */
export const listRevoked = (database: Database, limit: number): Promise<MoveRow[]> =>
  reading(() =>
    database
      .select()
      .from(moves)
      .where(
        sql`${moves.state} in ('planned', 'locking', 'copying')
            and ${moves.campaign} in (select id from campaigns where state = 'aborted')`,
      )
      .limit(limit),
  );
