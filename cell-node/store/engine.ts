import { Worker } from "node:worker_threads";
import { OPENED_ID, type StoreReply, type StoreRequest } from "./protocol.ts";
import type { ReadName } from "./reads.ts";
import { WRITE_KINDS, type WriteKind } from "./writes.ts";

/** Storage that failed: nothing of the batch was stored. `code` is SQLite's, as in SQLITE_FULL. */
export class StoreError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = "StoreError";
    this.code = code;
  }
}

type Batch = {
  readonly rows: Map<WriteKind, string[]>;
  size: number;
  readonly promise: Promise<undefined>;
  readonly resolve: (value: undefined) => void;
  readonly reject: (error: Error) => void;
};

type Waiter = { readonly resolve: (rows: readonly unknown[]) => void; readonly reject: (error: Error) => void };

export type EngineOptions = {
  readonly path: string;
  /** The thread is gone and will not come back: the process should end. */
  readonly onFatal: (error: Error) => void;
  readonly onCommit?: (rows: number, seconds: number) => void;
};

export type Engine = {
  /** Adds rows, each a JSON text, to the next transaction. Resolves when it is on disk; rows of one call share a transaction. */
  write(rows: readonly (readonly [WriteKind, string])[]): Promise<undefined>;
  read(name: ReadName, parameters: readonly unknown[]): Promise<readonly unknown[]>;
  /** Commits what waits and ends the thread. */
  close(): Promise<void>;
};

const newBatch = (): Batch => ({ rows: new Map(), size: 0, ...Promise.withResolvers<undefined>() });

/** Starts the storage thread. It commits whenever it is idle, so that batches grow with the load and no message waits for a timer. */
export const startEngine = async (options: EngineOptions): Promise<Engine> => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { path: options.path }, name: "store" });
  const waiters = new Map<number, Waiter>();
  let lastId = 0;
  let pending = newBatch();
  let isCommitting = false;
  let isScheduled = false;
  let fatal: Error | null = null;

  const request = (make: (id: number) => StoreRequest): Promise<readonly unknown[]> => {
    if (fatal !== null) return Promise.reject(fatal);
    const { promise, resolve, reject } = Promise.withResolvers<readonly unknown[]>();
    const id = ++lastId;
    waiters.set(id, { resolve, reject });
    worker.postMessage(make(id));
    return promise;
  };

  const commit = async (): Promise<void> => {
    isScheduled = false;
    if (isCommitting || pending.size === 0) return;
    const batch = pending;
    pending = newBatch();
    isCommitting = true;
    const startedAt = performance.now();
    const rows = WRITE_KINDS.flatMap((kind) => {
      const texts = batch.rows.get(kind);
      return texts === undefined ? [] : [[kind, `[${texts.join(",")}]`] as const];
    });
    try {
      await request((id) => ({ kind: "write", id, rows }));
      options.onCommit?.(batch.size, (performance.now() - startedAt) / 1000);
      batch.resolve(undefined);
    } catch (error) {
      batch.reject(error as Error);
    }
    isCommitting = false;
    void commit();
  };

  const settle = (reply: StoreReply): void => {
    const waiter = waiters.get(reply.id);
    waiters.delete(reply.id);
    if (reply.kind === "failed") waiter?.reject(new StoreError(reply.message, reply.code));
    else waiter?.resolve(reply.rows);
  };

  const fail = (error: Error): void => {
    fatal ??= error;
    for (const waiter of waiters.values()) waiter.reject(fatal);
    waiters.clear();
  };

  const opened = new Promise<readonly unknown[]>((resolve, reject) => waiters.set(OPENED_ID, { resolve, reject }));
  let isOpen = false;
  worker.on("message", settle);
  worker.on("error", (error: Error) => {
    fail(error);
    if (isOpen) options.onFatal(error);
  });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  void exited.then(() => fail(new StoreError("the store is closed", "CLOSED")));
  await opened;
  isOpen = true;

  return {
    write(rows) {
      if (fatal !== null) return Promise.reject(fatal);
      if (rows.length === 0) return Promise.resolve(undefined);
      for (const [kind, text] of rows) {
        const texts = pending.rows.get(kind);
        if (texts === undefined) pending.rows.set(kind, [text]);
        else texts.push(text);
      }
      pending.size += rows.length;
      const { promise } = pending;
      if (!isCommitting && !isScheduled) {
        isScheduled = true;
        setImmediate(commit);
      }
      return promise;
    },
    read: (name, parameters) => request((id) => ({ kind: "read", id, name, parameters })),
    async close() {
      while (isCommitting || pending.size > 0) {
        await Promise.allSettled([pending.size > 0 ? pending.promise : new Promise((resolve) => setImmediate(resolve))]);
      }
      await request((id) => ({ kind: "close", id }));
      // The connection lets go of the file when its thread has ended, not before.
      await exited;
    },
  };
};
