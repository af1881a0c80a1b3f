import { AppError } from "#schema/api/error.ts";
import type { FeedPosition } from "../store/changes.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

/**
 * Where a reader stands in a feed. A snapshot walks the assignments in VIN order; `seq` is the feed's position when it began, so that
 * the increments behind it repair whatever changed meanwhile.
 */
export type SyncPosition = { readonly timeline: string } & (
  | { readonly kind: "snapshot"; readonly seq: number; readonly afterVin: string }
  | { readonly kind: "increments"; readonly seq: number }
);

const parsePosition = (value: unknown): SyncPosition | null => {
  if (!Array.isArray(value)) return null;
  const [timeline, seq, afterVin] = value as unknown[];
  if (typeof timeline !== "string" || typeof seq !== "number") return null;
  if (afterVin === undefined) return { kind: "increments", timeline, seq };
  return typeof afterVin === "string" ? { kind: "snapshot", timeline, seq, afterVin } : null;
};

export const encodeSyncCursor = (position: SyncPosition): string => {
  const { timeline, seq } = position;
  return encodeCursor(position.kind === "snapshot" ? [timeline, seq, position.afterVin] : [timeline, seq]);
};

export const decodeSyncCursor = (cursor: string): SyncPosition => decodeCursor(cursor, parsePosition);

/** A position of another timeline, from the feed's future or from before what is kept answers `resnapshot`. */
export const checkPosition = ({ timeline, seq }: SyncPosition, feed: FeedPosition): void => {
  if (timeline !== feed.timeline || seq > feed.seq || seq < feed.trimmedSeq) {
    throw new AppError("resnapshot", "the cursor is of another timeline, or too old: ask again without one");
  }
};
