import type { GrantPage } from "#schema/api/grants.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import type { FeedPosition } from "../store/changes.ts";
import { type GrantChangeRow, readGrantChanges, readGrantSnapshot } from "../store/grants.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

const PAGE = 1_000;

/** `after`, as VIN and subject: inside a snapshot. */
type Position = { readonly timeline: string; readonly seq: number; readonly after: readonly [string, string] | null };

const parsePosition = (value: unknown): Position | null => {
  if (!Array.isArray(value)) return null;
  const [timeline, seq, vin, subject] = value as unknown[];
  if (typeof timeline !== "string" || typeof seq !== "number") return null;
  return { timeline, seq, after: typeof vin === "string" && typeof subject === "string" ? [vin, subject] : null };
};

const encode = ({ timeline, seq, after }: Position): string => encodeCursor([timeline, seq, ...(after ?? [])]);

const toChanges = (rows: readonly GrantChangeRow[]): GrantPage["items"] =>
  rows.map(({ vinKey, vin, subject, role }) => ({ vinKey, vin, subject, role }));

const snapshotPage = async (deps: Deps, cell: CellId, from: Position | null): Promise<GrantPage> => {
  const [vin, subject] = from?.after ?? ["", ""];
  const { feed, rows } = await readGrantSnapshot(deps.database, cell, { vin, subject }, PAGE + 1);
  if (from !== null && from.timeline !== feed.timeline) return snapshotPage(deps, cell, null);
  const page = rows.slice(0, PAGE);
  const last = page.at(-1);
  const hasMore = rows.length > PAGE && last !== undefined;
  const next = { timeline: feed.timeline, seq: from?.seq ?? feed.seq, after: hasMore ? ([last.vin, last.subject] as const) : null };
  return { items: toChanges(page), cursor: encode(next), hasMore, isSnapshot: true };
};

const isContinued = (from: Position, feed: FeedPosition): boolean => from.timeline === feed.timeline && from.seq <= feed.seq;

const incrementPage = async (deps: Deps, cell: CellId, from: Position): Promise<GrantPage> => {
  const { feed, rows } = await readGrantChanges(deps.database, cell, from.seq, PAGE + 1);
  if (!isContinued(from, feed)) return snapshotPage(deps, cell, null);
  const page = rows.slice(0, PAGE);
  const hasMore = rows.length > PAGE;
  const seq = hasMore ? (page.at(-1)?.seq ?? from.seq) : feed.seq;
  return { items: toChanges(page), cursor: encode({ timeline: feed.timeline, seq, after: null }), hasMore, isSnapshot: false };
};

/** What a cell has to learn of grants behind a cursor; without one, or with one of another timeline, all of them in pages. */
export const readGrantPage = (deps: Deps, cell: CellId, cursor: string | null): Promise<GrantPage> => {
  const from = cursor === null ? null : decodeCursor(cursor, parsePosition);
  return from === null || from.after !== null ? snapshotPage(deps, cell, from) : incrementPage(deps, cell, from);
};
