import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { CAMPAIGN_STATES } from "#schema/domain/campaign-state.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { MOVE_STATES, type MoveFailure, type MoveState } from "#schema/domain/move.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

/** A set of moves under one policy. `policy` and `selection` are as the API took them. */
export const campaigns = sqliteTable("campaigns", {
  id: text().primaryKey(),
  reason: text().notNull(),
  state: text({ enum: CAMPAIGN_STATES }).notNull(),
  /** Why it stands still: an operator's word, or too many failures. */
  pausedFor: text("paused_for", { enum: ["operator", "failures"] }),
  policy: text({ mode: "json" }).$type<Readonly<Record<string, unknown>>>().notNull(),
  /** Vehicles that were asked for and are not in it, by reason. */
  skipped: text({ mode: "json" }).$type<Readonly<Record<string, number>>>().notNull(),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  closedAt: integer("closed_at"),
});

/** Moves that a cell may still have something to do for; the store's queries repeat these texts, so that the indexes serve them. */
const IN_HAND_AT_SOURCE = sql`(state in ('locking', 'copying', 'switching', 'unlocking') or (state = 'arriving' and is_released = 0))`;
const IN_HAND_AT_TARGET = sql`state in ('locking', 'copying', 'switching', 'unlocking')`;

/** One vehicle's change of cell: all that control knows of it. Guards are triggers, in the migrations. */
export const moves = sqliteTable(
  "moves",
  {
    id: text().primaryKey(),
    campaign: text().notNull(),
    vin: text().$type<Vin>().notNull(),
    vinKey: text("vin_key").$type<VinKey>().notNull(),
    source: text().$type<CellId>().notNull(),
    target: text().$type<CellId>().notNull(),
    state: text({ enum: MOVE_STATES }).notNull(),
    step: integer().notNull(),
    /** Rises over all moves with every transition: how far a cell has read its orders. */
    seq: integer().notNull().default(0),
    fromEpoch: integer("from_epoch").notNull(),
    toEpoch: integer("to_epoch"),
    checksum: text(),
    deadlineAt: integer("deadline_at"),
    isReleased: integer("is_released", { mode: "boolean" }).notNull().default(false),
    failure: text().$type<MoveFailure>(),
    /** When each state was reached. */
    times: text({ mode: "json" }).$type<Partial<Record<MoveState, number>>>().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    // One open move a vehicle, whichever campaign was first.
    uniqueIndex("moves_open").on(table.vin).where(sql`state not in ('done', 'aborted')`),
    index("moves_by_vin").on(table.vin, table.step),
    index("moves_in_hand_source").on(table.source, table.seq).where(IN_HAND_AT_SOURCE),
    index("moves_in_hand_target").on(table.target, table.seq).where(IN_HAND_AT_TARGET),
    index("moves_by_seq").on(table.seq),
    index("moves_by_source").on(table.source, table.seq),
    index("moves_by_target").on(table.target, table.seq),
    index("moves_by_campaign").on(table.campaign, table.state),
  ],
);
