import { AppError } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Deps } from "../deps.ts";
import { readSnapshot } from "../store/assignments.ts";
import { readChanges } from "../store/changes.ts";
import { checkPosition, decodeSyncCursor, encodeSyncCursor, type SyncPosition } from "./sync-cursor.ts";

export type FeedRow = { readonly vin: Vin; readonly vinKey: VinKey; readonly epoch: number; readonly owner: CellId | null };
export type FeedPage = {
  readonly rows: readonly FeedRow[];
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly isSnapshot: boolean;
};

/** Whose feed, and how many rows a page may have. */
export type FeedQuery = { readonly cell: CellId | null; readonly limit: number };

/** Cells know vehicles by VIN: one that did not read of an erased vehicle in time takes a snapshot. POPs know them by vinKey. */
const knownVin = (vin: Vin | "", cell: CellId | null): Vin => {
  if (vin === "" && cell !== null) throw new AppError("resnapshot", "a vehicle was erased too long ago: ask again without a cursor");
  return vin as Vin;
};

const snapshotPage = async (
  deps: Deps,
  { cell, limit }: FeedQuery,
  from: (SyncPosition & { kind: "snapshot" }) | null,
): Promise<FeedPage> => {
  const { feed, rows } = await readSnapshot(deps.database, cell, from?.afterVin ?? "", limit + 1);
  if (from !== null) checkPosition(from, feed);
  const page = rows.slice(0, limit).map(({ vin, vinKey, epoch, cell: owner }) => ({ vin, vinKey, epoch, owner }));
  const hasMore = rows.length > limit;
  const start = { timeline: feed.timeline, seq: from?.seq ?? feed.seq };
  const next: SyncPosition = hasMore ? { kind: "snapshot", ...start, afterVin: page.at(-1)?.vin ?? "" } : { kind: "increments", ...start };
  return { rows: page, hasMore, isSnapshot: true, cursor: encodeSyncCursor(next) };
};

const incrementPage = async (deps: Deps, { cell, limit }: FeedQuery, from: SyncPosition): Promise<FeedPage> => {
  const { feed, rows } = await readChanges(deps.database, cell, from.seq, limit + 1);
  checkPosition(from, feed);
  const page = rows.slice(0, limit).map((row) => ({ ...row, vin: knownVin(row.vin, cell) }));
  const hasMore = rows.length > limit;
  // The end of the page is the end of the feed, whoever its last change concerned: a quiet reader never falls behind.
  const seq = hasMore ? (page.at(-1)?.seq ?? from.seq) : feed.seq;
  return { rows: page, hasMore, isSnapshot: false, cursor: encodeSyncCursor({ kind: "increments", timeline: feed.timeline, seq }) };
};

/** The page behind a cursor; without one the first of a snapshot, behind which the increments begin. */
export const readPage = (deps: Deps, query: FeedQuery, cursor: string | null): Promise<FeedPage> => {
  const from = cursor === null ? null : decodeSyncCursor(cursor);
  return from === null || from.kind === "snapshot" ? snapshotPage(deps, query, from) : incrementPage(deps, query, from);
};
