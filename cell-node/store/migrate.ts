import { fileURLToPath } from "node:url";
import { readMigrationFiles } from "drizzle-orm/migrator";
import type Database from "libsql";

const MIGRATIONS_FOLDER = fileURLToPath(import.meta.resolve("#schema/db/cell/migrations"));

/** Applies the generated migrations that the file lacks. Throws, and touches nothing, when a newer release has written the file. */
export const migrate = (database: Database.Database): void => {
  const migrations = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER });
  const known = new Set(migrations.map((migration) => migration.hash));
  const isNew = database.prepare("select 1 from sqlite_master where name = '__drizzle_migrations'").get() === undefined;
  const rows = isNew ? [] : database.prepare("select hash from __drizzle_migrations").all();
  const applied = new Set(rows.map((row) => String((row as { hash: unknown }).hash)));
  if ([...applied].some((hash) => !known.has(hash))) {
    throw new Error("the database was written by a newer release of cell-node: start that release, or restore a backup");
  }
  const missing = migrations.filter((migration) => !applied.has(migration.hash));
  if (missing.length === 0) return;
  database.exec("begin immediate");
  try {
    database.exec("create table if not exists __drizzle_migrations (id integer primary key, hash text not null, created_at numeric)");
    for (const { sql, hash, folderMillis } of missing) {
      for (const statement of sql) database.exec(statement);
      database.prepare("insert into __drizzle_migrations (hash, created_at) values (?, ?)").run(hash, folderMillis);
    }
    database.exec("commit");
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
};
