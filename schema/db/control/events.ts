import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What happened, in order; written by triggers in the transaction of what happened. Nothing here names a VIN. */
export const events = sqliteTable("events", {
  seq: integer().primaryKey({ autoIncrement: true }),
  type: text().notNull(),
  subject: text().notNull(),
  data: text({ mode: "json" }).$type<Readonly<Record<string, unknown>>>().notNull(),
  at: integer().notNull(),
});
