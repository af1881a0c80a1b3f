import { AppError } from "#schema/api/error.ts";
import type { FeedPosition } from "../store/changes.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

/**
 * Where a cell stands in its feed. A snapshot walks the cell's assignments in VIN order; `seq` is the feed's position when it began, so
 * that the increments behind it repair whatever changed meanwhile.
 */
export type SyncPosition =
  | { readonly kind: "snapshot"; readonly seq: number; readonly afterVin: string }
  | { readonly kind: "increments"; readonly seq: number };

const parseCursor = (value: unknown): { timeline: string; position: SyncPosition } | null => {
  if (!Array.isArray(value)) return null;
  const [timeline, seq, afterVin] = value as unknown[];
  if (typeof timeline !== "string" || typeof seq !== "number") return null;
  if (afterVin === undefined) return { timeline, position: { kind: "increments", seq } };
  return typeof afterVin === "string" ? { timeline, position: { kind: "snapshot", seq, afterVin } } : null;
};

export const encodeSyncCursor = (timeline: string, position: SyncPosition): string =>
  encodeCursor(position.kind === "snapshot" ? [timeline, position.seq, position.afterVin] : [timeline, position.seq]);

/** No cursor begins a snapshot; one of another timeline, or from its future, answers `resnapshot`. */
export const readSyncCursor = (cursor: string | null, feed: FeedPosition): SyncPosition => {
  if (cursor === null) return { kind: "snapshot", seq: feed.seq, afterVin: "" };
  const { timeline, position } = decodeCursor(cursor, parseCursor);
  if (timeline !== feed.timeline || position.seq > feed.seq) {
    throw new AppError("resnapshot", "the cursor is of another timeline: sync again with cursor null");
  }
  return position;
};
