import type { Logger } from "#schema/http/log.ts";
import type { Config } from "../config.ts";
import type { LedgerPort } from "../ledger/port.ts";
import type { Database } from "../store/database.ts";

/** What one turn of a loop works with. Its state is in the tables: another writer goes on where this one stopped. */
export type LoopDeps = {
  readonly database: Database;
  readonly write: LedgerPort["write"];
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: () => number;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
};
