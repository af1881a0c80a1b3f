import { AppError } from "#schema/api/error.ts";
import type { LedgerPort, Refused } from "../ledger/port.ts";
import type { Result, Statement } from "../store/statement.ts";

/** A refusal of the ledger as the caller's error. */
export const toError = ({ code, detail, retryAfterSeconds }: Refused): AppError => new AppError(code, detail, { retryAfterSeconds });

/** Commits through the ledger or throws; every write here may be repeated safely. */
export const commit = async (ledger: LedgerPort, statements: readonly Statement[]): Promise<readonly Result[]> => {
  const outcome = await ledger.write(statements);
  if (outcome.kind === "refused") throw toError(outcome);
  if (outcome.results === null) throw new AppError("busy", "stored, but the database's answer was lost: repeat the call to see it");
  return outcome.results;
};
