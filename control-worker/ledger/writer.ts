import { type DatabaseClient, statementFaultOf } from "../store/database.ts";
import { acquireLease, FENCE_FAULT, fence, readLeaseState } from "../store/leases.ts";
import { type Result, resultOf, type Statement, toInStatement } from "../store/statement.ts";

export type Commit =
  /** `results` null: it is committed, but the answer was lost on the way. */
  | { readonly kind: "committed"; readonly results: readonly Result[] | null }
  /** The database spoke against it; nothing changed. */
  | { readonly kind: "refused"; readonly fault: "constraint" | "invalid"; readonly detail: string }
  | { readonly kind: "lost" }
  | { readonly kind: "unavailable"; readonly cause: unknown };

export type Held = { readonly kind: "held"; readonly lastBatch: string } | Extract<Commit, { kind: "lost" | "unavailable" }>;

export type WriterOptions = {
  readonly open: () => DatabaseClient;
  readonly holder: string;
  readonly leaseSeconds: number;
  readonly clock: () => number;
};

const MAX_ATTEMPTS = 2;

/** The holder of the writer's lease: commits one fenced batch at a time. Not for concurrent calls. */
export class Writer {
  readonly #options: WriterOptions;
  #client: DatabaseClient | null = null;
  #term: number | null = null;
  #batches = 0;
  #confirmedAt = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get holder(): string {
    return this.#options.holder;
  }

  /** The term held, or null. */
  get term(): number | null {
    return this.#term;
  }

  /** When the lease was last known to be this holder's, by its own clock. */
  get confirmedAt(): number {
    return this.#confirmedAt;
  }

  /** Makes sure that a term is held; does not ask the database when one is. */
  async hold(): Promise<Held> {
    return this.#term === null ? this.#acquire() : { kind: "held", lastBatch: "" };
  }

  /** Reads in one transaction. */
  async read(statements: readonly Statement[]): Promise<readonly Result[] | null> {
    try {
      return (await this.#connect().batch(statements.map(toInStatement), "read")).map(resultOf);
    } catch {
      this.#disconnect();
      return null;
    }
  }

  /** Commits the statements in one transaction under the fence, which also renews the lease. */
  async commit(statements: readonly Statement[]): Promise<Commit> {
    let cause: unknown;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const held = await this.hold();
      if (held.kind !== "held") return held;
      const { holder, leaseSeconds, clock } = this.#options;
      const term = this.#term ?? 0;
      const batch = `${term}.${++this.#batches}`;
      const startedAt = clock();
      try {
        const all = [fence({ holder, term, leaseSeconds, batch }), ...statements];
        const results = await this.#connect().batch(all.map(toInStatement), "write");
        this.#confirmedAt = startedAt;
        return { kind: "committed", results: results.slice(1).map(resultOf) };
      } catch (error) {
        const fault = statementFaultOf(error);
        if (fault !== null) return this.#judge(fault, error);
        // Perhaps committed: a new term shuts the old batch out for good, and its row says whether it made it.
        cause = error;
        this.#disconnect();
        const again = await this.#acquire();
        if (again.kind !== "held") return again;
        if (again.lastBatch === batch) return { kind: "committed", results: null };
      }
    }
    return { kind: "unavailable", cause };
  }

  #judge(fault: "constraint" | "invalid", error: unknown): Commit {
    const detail = error instanceof Error ? error.message : String(error);
    if (!detail.includes(FENCE_FAULT)) return { kind: "refused", fault, detail };
    this.#term = null;
    return { kind: "lost" };
  }

  async #acquire(): Promise<Held> {
    const { holder, leaseSeconds, clock } = this.#options;
    this.#term = null;
    const startedAt = clock();
    try {
      const [state] = (await this.#connect().execute(toInStatement(readLeaseState))).rows;
      if (state !== undefined && state["holder"] !== holder && state["isLapsed"] !== 1) return { kind: "lost" };
      const [result] = await this.#connect().batch([toInStatement(acquireLease(holder, leaseSeconds))], "write");
      const row = result?.rows[0];
      if (row === undefined) return { kind: "lost" };
      this.#term = Number(row["term"]);
      this.#confirmedAt = startedAt;
      return { kind: "held", lastBatch: String(row["batch"]) };
    } catch (cause) {
      this.#disconnect();
      return { kind: "unavailable", cause };
    }
  }

  #connect(): DatabaseClient {
    this.#client ??= this.#options.open();
    return this.#client;
  }

  /** A client that failed once is thrown away: it may have lost its place. */
  #disconnect(): void {
    this.#client?.close();
    this.#client = null;
    this.#term = null;
  }
}
