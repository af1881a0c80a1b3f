import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { CellId } from "#schema/domain/cell.ts";
import { OWNER_ROLES } from "#schema/domain/command.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

/** Who may do what with a vehicle, whatever their access tokens say. */
export const grants = sqliteTable(
  "grants",
  {
    vin: text().$type<Vin>().notNull(),
    subject: text().notNull(),
    role: text({ enum: OWNER_ROLES }).notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** A revoked grant is kept until every access token from before has ended. */
    revokedAt: integer("revoked_at"),
  },
  (table) => [primaryKey({ columns: [table.vin, table.subject] }), index("grants_revoked").on(table.revokedAt)],
);

/** What each cell has to learn of grants, in order; written by triggers, read by sync. `role` null: revoked. */
export const grantChanges = sqliteTable(
  "grant_changes",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    cell: text().$type<CellId>().notNull(),
    vin: text().$type<Vin>().notNull(),
    vinKey: text("vin_key").$type<VinKey>().notNull(),
    subject: text().notNull(),
    role: text({ enum: OWNER_ROLES }),
  },
  (table) => [index("grant_changes_by_cell").on(table.cell, table.seq), index("grant_changes_by_vin").on(table.vin)],
);

/** Vehicles that were erased: a restore applies them again. */
export const tombstones = sqliteTable("tombstones", {
  vinKey: text("vin_key").$type<VinKey>().primaryKey(),
  epoch: integer().notNull(),
  erasedAt: integer("erased_at").notNull(),
});
