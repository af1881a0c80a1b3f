import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The last move that the cell was told of for each vehicle (`MoveMark` of schema/domain), and what the move needs of this cell again. */
export const moveMarks = sqliteTable("move_marks", {
  vehicle: integer().primaryKey(),
  moveId: text("move_id").notNull(),
  step: integer().notNull(),
  role: text({ enum: ["source", "target"] }).notNull(),
  peer: text().notNull(),
  checksum: text(),
  isSeen: integer("is_seen", { mode: "boolean" }).notNull(),
  /** When the lock was granted, ms since the epoch: the bundle is of that moment, however often it is read. */
  lockedAt: integer("locked_at"),
  /** JSON: the session as it was then. */
  session: text(),
});
