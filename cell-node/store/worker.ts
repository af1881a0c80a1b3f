import { parentPort, workerData } from "node:worker_threads";
import { type CellDatabase, openDatabase } from "./database.ts";
import { OPENED_ID, type StoreReply, type StoreRequest } from "./protocol.ts";

const ATTEMPTS = 2;
/** Messages are indexed when no write has come for a moment, a few at a time so that the next write does not wait. */
const IDLE_MS = 20;
const SLICE = 500;
/** Beyond this a reader would feel the unindexed tail: then writes wait for it, many at a time. */
const MAX_UNINDEXED = 50_000;
const FORCED_SLICE = 5_000;

if (parentPort === null) throw new Error("the store runs on a worker thread");
const port = parentPort;
const { path } = workerData as { readonly path: string };

let database: CellDatabase | null = null;

/** A connection that has failed is thrown away: after SQLITE_BUSY it would fail, or lose, every later batch. */
const withDatabase = (work: (open: CellDatabase) => readonly unknown[]): readonly unknown[] => {
  for (let attempt = 1; ; attempt++) {
    try {
      database ??= openDatabase(path);
      return work(database);
    } catch (error) {
      database?.close();
      database = null;
      const isBusy = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
      if (!isBusy || attempt === ATTEMPTS) throw error;
    }
  }
};

let idle: NodeJS.Timeout | null = null;

const indexWhenIdle = (delayMs: number): void => {
  if (idle !== null) clearTimeout(idle);
  idle = setTimeout(() => {
    idle = null;
    if (database === null || database.unindexed() === 0) return;
    try {
      withDatabase((open) => {
        open.indexSome(SLICE);
        return [];
      });
    } catch {
      // Nothing is lost: readers find unindexed messages too, and what is wrong fails the next write, which says so.
      return;
    }
    indexWhenIdle(0);
  }, delayMs);
};

const handle = (request: StoreRequest): readonly unknown[] => {
  if (request.kind === "read") return withDatabase((open) => open.read(request.name, request.parameters));
  if (request.kind === "write") {
    return withDatabase((open) => {
      open.commit(request.rows);
      if (open.unindexed() > MAX_UNINDEXED) open.indexSome(FORCED_SLICE);
      return [];
    });
  }
  database?.close();
  database = null;
  return [];
};

const replyTo = (id: number, work: () => readonly unknown[]): StoreReply => {
  try {
    return { kind: "done", id, rows: work() };
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    return { kind: "failed", id, message, code: String(code ?? "") };
  }
};

port.on("message", (request: StoreRequest) => {
  port.postMessage(replyTo(request.id, () => handle(request)));
  if (request.kind === "write") indexWhenIdle(IDLE_MS);
  if (request.kind !== "close") return;
  if (idle !== null) clearTimeout(idle);
  port.close();
});

const opened = replyTo(OPENED_ID, () => withDatabase(() => []));
port.postMessage(opened);
if (opened.kind === "done") indexWhenIdle(0);
else port.close();
