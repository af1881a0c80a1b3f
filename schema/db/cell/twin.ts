import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What each vehicle reported (`Twin` of schema/domain). Times are milliseconds since the epoch. */
export const twins = sqliteTable("twins", {
  vehicle: integer().primaryKey(),
  /** JSON: `Reported` of schema/domain. */
  reported: text().notNull(),
  boot: integer().notNull(),
  seq: integer().notNull(),
  reportedAt: integer("reported_at"),
  activity: text(),
  activityAt: integer("activity_at"),
  heldTerm: integer("held_term"),
  heldVersion: integer("held_version"),
});

/** Desired documents: the highest (term, version) of a vehicle holds, a few before it are its history. */
export const twinDesired = sqliteTable(
  "twin_desired",
  {
    sequence: integer().primaryKey({ autoIncrement: true }),
    vehicle: integer().notNull(),
    term: integer().notNull(),
    version: integer().notNull(),
    /** JSON object. */
    document: text().notNull(),
    changedAt: integer("changed_at").notNull(),
    changedBy: text("changed_by").notNull(),
  },
  (table) => [index("twin_desired_by_version").on(table.vehicle, table.term, table.version)],
);
