import * as z from "zod";
import { CellIdField, EpochField, VinKeyField } from "./fields.ts";
import { TopologyDocument } from "./topology.ts";

/** One vehicle's record as POPs hold it: vinKey under the current pepper, owner (null: erased), epoch. */
export const FeedRecord = z.tuple([VinKeyField, CellIdField.nullable(), EpochField]);
export type FeedRecord = z.infer<typeof FeedRecord>;

/**
 * Answer of `GET /v1/feed?cursor&topology`, polled every second by self-hosted POPs: pages of a snapshot without a cursor, then increments.
 * `topology` in the query is the version held. 304 when nothing is new behind the cursor, 410 `resnapshot` when the cursor is of another timeline or trimmed.
 */
export const FeedPage = z.object({
  /** The cursor that was asked for: a page that does not continue what the POP holds is not taken. */
  from: z.string().nullable(),
  cursor: z.string(),
  /** Whether more pages wait: ask again at once. */
  hasMore: z.boolean(),
  /** Whether this page belongs to a snapshot; the one with `hasMore: false` ends it, and what no page named is gone. */
  isSnapshot: z.boolean(),
  records: z.array(FeedRecord),
  /** The current topology, when the version held is another. */
  topology: TopologyDocument.optional(),
});
export type FeedPage = z.infer<typeof FeedPage>;
