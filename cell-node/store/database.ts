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
  /** How many messages, at most, wait for their index entries. */
  unindexed(): number;
  /** Indexes the oldest of them, up to `limit`. */
  indexSome(limit: number): void;
  close(): void;
};

/** Unindexed messages are the newest: a look from the end finds the last indexed one. */
const LAST_INDEXED = "select coalesce((select sequence from telemetry where is_indexed = 1 order by sequence desc limit 1), 0) as indexed";

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
  let { indexed } = database.prepare(LAST_INDEXED).get() as { indexed: number };
  const last = database.prepare("select coalesce(max(sequence), 0) as sequence from telemetry");
  const readLast = () => (last.get() as { sequence: number }).sequence;
  const setIndexed = database.prepare("update or ignore telemetry set is_indexed = 1 where sequence > ? and sequence <= ?");
  const dropRepeated = database.prepare("delete from telemetry where sequence > ? and sequence <= ? and is_indexed = 0");
  const writes = prepareAll(database, WRITES);
  const reads = prepareAll(database, READS);
  /** A connection closed in a transaction would hold its lock until its statements are collected: it is rolled back first. */
  const inTransaction = (work: () => void): void => {
    database.exec("begin immediate");
    try {
      work();
      database.exec("commit");
    } catch (error) {
      if (database.inTransaction) database.exec("rollback");
      throw error;
    }
  };

  return {
    commit: (rows) =>
      inTransaction(() => {
        for (const [kind, json] of rows) writes(kind).run([json]);
      }),
    read: (name, parameters) => reads(name).all([...parameters, ...(name === "telemetry" ? [indexed] : [])]),
    unindexed: () => Math.max(0, readLast() - indexed),
    indexSome(limit) {
      const upTo = Math.min(readLast(), indexed + limit);
      if (upTo <= indexed) return;
      inTransaction(() => {
        setIndexed.run([indexed, upTo]);
        dropRepeated.run([indexed, upTo]);
      });
      indexed = upTo;
    },
    close: () => database.close(),
  };
};
