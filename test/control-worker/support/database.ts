import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { migrateDatabase } from "#schema/db/migrate.ts";

export type TestDatabase = {
  readonly url: string;
  readonly open: () => Client;
  /** For a test's own look and meddling. */
  readonly sql: (sql: string, ...args: (string | number | null)[]) => Promise<Record<string, unknown>[]>;
  /** The whole file as it is now. */
  readonly copy: () => Promise<Buffer>;
  readonly remove: () => void;
};

const createTemplate = async (): Promise<Buffer> => {
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-template-"));
  const file = join(folder, "control.db");
  await migrateDatabase({ url: `file:${file}`, schema: "control" });
  const bytes = readFileSync(file);
  rmSync(folder, { recursive: true });
  return bytes;
};

let template: Promise<Buffer> | null = null;

/** A libSQL file of its own: with the control schema only, or as another one was. */
export const createDatabase = async (content?: Buffer): Promise<TestDatabase> => {
  template ??= createTemplate();
  const folder = mkdtempSync(join(tmpdir(), "cloverleaf-control-"));
  const file = join(folder, "control.db");
  writeFileSync(file, content ?? (await template));
  const url = `file:${file}`;
  const own = createClient({ url });
  await own.execute("pragma journal_mode = wal");
  return {
    url,
    open: () => createClient({ url }),
    sql: async (sql, ...args) => (await own.execute({ sql, args })).rows.map((row) => ({ ...row })),
    copy: async () => {
      await own.execute("pragma wal_checkpoint(truncate)");
      return readFileSync(file);
    },
    remove: () => {
      own.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
