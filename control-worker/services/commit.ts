import { AppError } from "#schema/api/error.ts";
import type { LedgerPort, Refused, Said } from "../ledger/port.ts";
import type { Statement } from "../store/statement.ts";

/** What a write is to do and what is said of it; without `changes` the audit names the call and its target only. */
export type Plan = Said & { readonly statements: readonly Statement[] };

/** A refusal of the ledger as the caller's error. */
export const toError = ({ code, detail, retryAfterSeconds }: Refused): AppError => new AppError(code, detail, { retryAfterSeconds });

const ATTEMPTS = 3;

/**
 * Plans a write from what is there and commits it; when something came in between it looks and plans again, so that a plan's own checks
 * say what is wrong. Every write here may be repeated safely.
 */
export const commit = async (ledger: LedgerPort, plan: () => Promise<readonly Statement[] | Plan>): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    const planned = await plan();
    const { statements, ...said } = "statements" in planned ? planned : { statements: planned };
    const outcome = await ledger.write(statements, said);
    if (outcome.kind === "written" && outcome.results !== null) return;
    if (outcome.kind === "written") throw new AppError("busy", "stored, but the database's answer was lost: repeat the call to see it");
    if (outcome.code !== "conflict" || attempt === ATTEMPTS) throw toError(outcome);
  }
};
