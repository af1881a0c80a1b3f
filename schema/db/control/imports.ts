import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** How far each part of an import has come; written in the batch of the lines themselves. */
export const importParts = sqliteTable(
  "import_parts",
  {
    importId: text("import_id").notNull(),
    part: integer().notNull(),
    lines: integer().notNull(),
    isDone: integer("is_done", { mode: "boolean" }).notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.importId, table.part] })],
);
