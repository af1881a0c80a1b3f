import { AppError } from "#schema/api/error.ts";

/** Opaque to callers; base64url of a JSON value. */
export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString("base64url");

/** Reads a cursor with a parser that answers null for what it does not know. */
export const decodeCursor = <T>(cursor: string, parse: (position: unknown) => T | null): T => {
  try {
    const position = parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    if (position !== null) return position;
  } catch (cause) {
    throw new AppError("bad_request", "the cursor is not one of ours", { cause });
  }
  throw new AppError("bad_request", "the cursor is not one of ours");
};

export type Page<T> = { readonly items: T[]; readonly cursor: string | null };

/** Cuts a page out of one row more than asked for. */
export const toPage = <Row, T>(rows: readonly Row[], limit: number, keyOf: (row: Row) => string, map: (row: Row) => T): Page<T> => {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(map), cursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null };
};

const parseText = (position: unknown): string | null => (typeof position === "string" ? position : null);

/** The key behind which the next page begins. */
export const afterOf = (cursor: string | undefined): string => (cursor === undefined ? "" : decodeCursor(cursor, parseText));

const parseSeq = (position: unknown): number | null => (/^\d{1,15}$/.test(String(position)) ? Number(position) : null);

/** The number behind, or before, which the next page begins; `start` for the first one. */
export const seqOf = (cursor: string | undefined, start: number): number => (cursor === undefined ? start : decodeCursor(cursor, parseSeq));
