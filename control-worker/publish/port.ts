import type { Logger } from "#schema/http/log.ts";
import type { Config } from "../config.ts";
import type { LedgerPort } from "../ledger/port.ts";
import type { Database } from "../store/database.ts";

/** The part of KVNamespace that the publisher writes through. */
export type RouteKv = { put(key: string, value: string): Promise<void>; delete(key: string): Promise<void> };

/** The reading half of KVNamespace: at most 100 keys a call, and listing in pages. */
export type RouteReader = {
  get(keys: string[]): Promise<ReadonlyMap<string, string | null>>;
  list(options: { prefix: string; cursor?: string | null }): Promise<{
    readonly keys: readonly { readonly name: string }[];
    readonly list_complete: boolean;
    readonly cursor?: string | null;
  }>;
};

export type PublishDeps = {
  readonly database: Database;
  readonly kv: RouteKv;
  readonly write: LedgerPort["write"];
  /** Whether this publisher still holds the lease, asked of the database. */
  readonly holdsLease: () => Promise<boolean>;
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly close: () => void;
};

export const isTooMany = (error: unknown): boolean => error instanceof Error && error.message.includes("429");
