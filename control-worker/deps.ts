import type { VinKeyer } from "#schema/crypto/vin-keyer.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Config } from "./config.ts";
import type { LedgerPort } from "./ledger/port.ts";
import type { RouteReader } from "./publish/port.ts";
import type { Database } from "./store/database.ts";

/** What services work with; made anew for each request. */
export type Deps = {
  readonly database: Database;
  readonly ledger: LedgerPort;
  readonly routes: RouteReader;
  readonly config: Config;
  readonly vinKeyer: VinKeyer;
  readonly logger: Logger;
  readonly clock: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
};
