import type { Logger } from "#schema/http/log.ts";
import type { LedgerPort, Refused } from "./ledger/port.ts";
import type { RouteKv, RouteReader } from "./publish/port.ts";

/** The bindings of control-worker; its variables are read by config.ts. */
export type Env = {
  readonly ROUTES: RouteKv & RouteReader;
  readonly LEDGER: { idFromName(name: string): unknown; get(id: unknown): LedgerPort };
};

const BUSY: Refused = { kind: "refused", code: "busy", detail: "the ledger is restarting", retryAfterSeconds: 1 };

/** The one ledger of this control-worker. A call that the platform breaks off is answered as busy: all of them may be repeated. */
export const ledgerOf = (env: Env, logger: Logger): LedgerPort => {
  const ledger = env.LEDGER.get(env.LEDGER.idFromName("ledger"));
  const orBusy = (error: unknown): Refused => {
    logger.error("the ledger failed", { error });
    return BUSY;
  };
  return {
    write: (statements, said) => ledger.write(statements, said).catch(orBusy),
    place: (candidates, mode, said) => ledger.place(candidates, mode, said).catch(orBusy),
    contact: (contact) => ledger.contact(contact).catch(orBusy),
    heard: (cell) => ledger.heard(cell),
    status: () => ledger.status(),
  };
};
