import type { LedgerPort } from "./ledger/port.ts";
import type { RouteKv } from "./publish/port.ts";

/** The bindings of control-worker; its variables are read by config.ts. */
export type Env = {
  readonly ROUTES: RouteKv;
  readonly LEDGER: { idFromName(name: string): unknown; get(id: unknown): LedgerPort };
};

/** The one ledger of this control-worker. */
export const ledgerOf = (env: Env): LedgerPort => env.LEDGER.get(env.LEDGER.idFromName("ledger"));
