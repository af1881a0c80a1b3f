import { type Client, createClient } from "@libsql/client/web";
import { drizzle } from "drizzle-orm/libsql/web";
import { AppError } from "#schema/api/error.ts";

/** What the stores read through. One per request: a Workers socket belongs to the request that opened it. */
export type Database = ReturnType<typeof databaseOf>;
export type DatabaseClient = Client;

export const databaseOf = (client: Client) => drizzle({ client });

const CALL_TIMEOUT_MS = 3_000;

/** A client of the libSQL server whose every call ends after 3 s. */
export const openClient = (target: { readonly url: string; readonly token?: string | undefined }): Client =>
  createClient({
    url: target.url,
    ...(target.token !== undefined && { authToken: target.token }),
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) }),
  });

const codeOf = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;

/** The driver's own error: drizzle's wrapper repeats the parameters, VINs among them (invariant I10). */
const rootOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined && codeOf(error) === null ? error.cause : error;

/** SQLite result codes that speak of the database's state, not of the statement. */
const TRANSIENT = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|PROTOCOL|NOMEM)/;

/** What the database itself said against a statement: nothing was committed, and trying again changes nothing. Null: it is not to blame. */
export const statementFaultOf = (error: unknown): "constraint" | "invalid" | null => {
  const code = codeOf(rootOf(error)) ?? "";
  if (!code.startsWith("SQL") || TRANSIENT.test(code)) return null;
  return code.startsWith("SQLITE_CONSTRAINT") ? "constraint" : "invalid";
};

const ATTEMPTS = 2;

/**
 * Runs a read, once more when its connection breaks: a kept one may have been closed meanwhile. A database that cannot be reached
 * becomes `database_unavailable`; the ledger's log says since when, and why.
 */
export const reading = async <T>(query: () => PromiseLike<T>): Promise<T> => {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await query();
    } catch (error) {
      if (statementFaultOf(error) !== null) throw rootOf(error);
    }
  }
  throw new AppError("database_unavailable", "the database cannot be reached right now");
};
