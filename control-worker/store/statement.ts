import type { InStatement, ResultSet } from "@libsql/client/web";
import { drizzle } from "drizzle-orm/libsql/web";

export type SqlValue = string | number | null;
/** One SQL statement as plain data: it travels to the ledger. */
export type Statement = { readonly sql: string; readonly args: readonly SqlValue[] };
export type Row = Readonly<Record<string, unknown>>;
export type Result = { readonly rows: readonly Row[]; readonly rowsAffected: number };

/** Builds statements without a connection. */
export const build = drizzle.mock();

export const statement = (sql: string, ...args: SqlValue[]): Statement => ({ sql, args });

const toValue = (value: unknown): SqlValue => (typeof value === "boolean" ? Number(value) : (value as SqlValue));

/** The statement of a drizzle query. */
export const statementOf = (query: { toSQL(): { sql: string; params: unknown[] } }): Statement => {
  const { sql, params } = query.toSQL();
  return { sql, args: params.map(toValue) };
};

/** Undoes the whole batch unless the condition holds. */
export const assertThat = (condition: string, ...args: SqlValue[]): Statement =>
  statement(`insert into assertions (holds) select null where not (${condition})`, ...args);

export const toInStatement = ({ sql, args }: Statement): InStatement => ({ sql, args: [...args] });

/** A result as plain data. */
export const resultOf = (result: ResultSet): Result => ({
  rows: result.rows.map((row) => Object.fromEntries(result.columns.map((column, index) => [column, row[index]]))),
  rowsAffected: result.rowsAffected,
});
