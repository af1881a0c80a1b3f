import { type CloudEvent, EVENT_TYPE_PREFIX, type EventPage } from "#schema/api/events.ts";
import type { Deps } from "../deps.ts";
import { type EventRow, readEvents as readRows } from "../store/events.ts";
import { checkPosition, decodeSyncCursor, encodeSyncCursor } from "./sync-cursor.ts";

const toEvent = ({ seq, type, subject, data, at }: EventRow, timeline: string): CloudEvent => ({
  specversion: "1.0",
  id: `${timeline}-${seq}`,
  source: "/cloverleaf/control",
  type: `${EVENT_TYPE_PREFIX}${type}`,
  subject,
  time: new Date(at).toISOString(),
  datacontenttype: "application/json",
  data,
});

export type EventsAsked = { readonly cursor?: string | undefined; readonly limit: number; readonly type?: string | undefined };

/** Events behind a cursor, oldest first; a reader that keeps the cursor misses none and reads none twice. */
export const readEvents = async (deps: Deps, { cursor, limit, type }: EventsAsked): Promise<EventPage> => {
  const from = cursor === undefined ? null : decodeSyncCursor(cursor);
  const { feed, rows } = await readRows(deps.database, from?.seq ?? 0, type, limit + 1);
  if (from !== null) checkPosition(from, feed);
  const page = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  const seq = hasMore ? (page.at(-1)?.seq ?? feed.seq) : feed.seq;
  const next = encodeSyncCursor({ kind: "increments", timeline: feed.timeline, seq });
  return { items: page.map((row) => toEvent(row, feed.timeline)), cursor: next, hasMore };
};
