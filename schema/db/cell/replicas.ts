import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The vehicles of cells whose standby this one is, as their owners last told. */
export const replicas = sqliteTable(
  "replicas",
  {
    owner: text().notNull(),
    vin: text().notNull(),
    vinKey: text("vin_key").notNull(),
    epoch: integer().notNull(),
    /** JSON: `VehicleReplica` of schema/api. */
    document: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.owner, table.vin] })],
);
