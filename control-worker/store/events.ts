import { and, asc, eq, gt, sql } from "drizzle-orm";
import { events } from "#schema/db/control/events.ts";
import { meta } from "#schema/db/control/tables.ts";
import { type FeedRead, requirePosition } from "./changes.ts";
import { type Database, reading } from "./database.ts";

export type EventRow = typeof events.$inferSelect;

/** Events behind a position, in order; all of them or those of one type. */
export const readEvents = async (
  database: Database,
  afterSeq: number,
  type: string | undefined,
  limit: number,
): Promise<FeedRead<EventRow>> => {
  const position = database
    .select({
      timeline: meta.timeline,
      seq: sql<number>`(select coalesce(max(seq), 0) from events)`,
      trimmedSeq: sql<number>`(select coalesce(min(seq) - 1, 0) from events)`,
    })
    .from(meta);
  const page = database
    .select()
    .from(events)
    .where(and(gt(events.seq, afterSeq), type === undefined ? undefined : eq(events.type, type)))
    .orderBy(asc(events.seq))
    .limit(limit);
  const [positions, rows] = await reading(() => database.batch([position, page]));
  return { feed: requirePosition(positions), rows };
};
