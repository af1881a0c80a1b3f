import Database from "libsql";
import { migrate } from "./migrate.ts";
import { READS, type ReadName } from "./reads.ts";
import { WRITES, type WriteKind } from "./writes.ts";

const BUSY_TIMEOUT_MS = 2000;
const CACHE_KIB = 64 * 1024;
/** Pages of write-ahead log before a checkpoint: 40 MB, so that hot index pages are copied back once, not at each commit. */
const CHECKPOINT_PAGES = 10_000;

/** One connection to the cell's file with its prepared statements. Synchronous: it lives on the storage thread. */
export type CellDatabase = {
  /** Runs all rows in one transaction; when it returns they are on disk. */
  commit(rows: readonly (readonly [WriteKind, string])[]): void;
  read(name: ReadName, parameters: readonly unknown[]): unknown[];
  close(): void;
};

const prepareAll = <Name extends string>(database: Database.Database, sql: Readonly<Record<Name, string>>) => {
  const prepared = new Map<Name, Database.Statement>();
  return (name: Name): Database.Statement => {
    const statement = prepared.get(name) ?? database.prepare(sql[name]);
    prepared.set(name, statement);
    return statement;
  };
};

/** Opens, or creates, the file: write-ahead log, a flush to disk at each commit, migrations applied. */
export const openDatabase = (path: string): CellDatabase => {
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  database.exec("pragma journal_mode = wal");
  database.exec("pragma synchronous = full");
  database.exec(`pragma cache_size = -${CACHE_KIB}`);
  database.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  migrate(database);
  const writes = prepareAll(database, WRITES);
  const reads = prepareAll(database, READS);
  return {
    commit(rows) {
      database.exec("begin immediate");
      for (const [kind, json] of rows) writes(kind).run([json]);
      database.exec("commit");
    },
    read: (name, parameters) => reads(name).all([...parameters]),
    close: () => database.close(),
  };
};
