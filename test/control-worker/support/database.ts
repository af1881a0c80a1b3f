import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { migrateDatabase } from "#schema/db/migrate.ts";

export type TestDatabase = {
  readonly url: string;
  readonly open: () => Client;
  /** For a test's own look and meddling. */
  readonly sql: (sql: string, ...args: (string | number | null)[]) => Promise<Record<string, unknown>[]>;
  readonly remove: () => void;
};

/** A fresh libSQL file with the control schema. */
export const createDatabase = async (): Promise<TestDatabase> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-control-"));
  const url = `file:${join(folder, "control.db")}`;
  const own = createClient({ url });
  await own.execute("pragma journal_mode = wal");
  await migrateDatabase({ url, schema: "control" });
  return {
    url,
    open: () => createClient({ url }),
    sql: async (sql, ...args) => (await own.execute({ sql, args })).rows.map((row) => ({ ...row })),
    remove: () => {
      own.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
