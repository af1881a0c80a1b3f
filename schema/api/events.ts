import * as z from "zod";
import { TimeField } from "./fields.ts";

/** Everything that events tell of; each `type` is one of these behind `dev.cloverleaf.`. */
export const EVENT_TYPES = [
  "vehicle.placed",
  "vehicle.moved",
  "vehicle.erased",
  "cell.registered",
  "cell.state_changed",
  "cell.health_changed",
  "cell.failover_changed",
  "campaign.state_changed",
  "rule_set.state_changed",
  "alert.opened",
  "alert.resolved",
  "topology.published",
] as const;
export const EVENT_TYPE_PREFIX = "dev.cloverleaf.";

/** A CloudEvent 1.0 in JSON (CloudEvents §2, JSON format §2). `subject` names a vehicle by its vinKey. */
export const CloudEvent = z.object({
  specversion: z.literal("1.0"),
  /** The same for the same event, however often it is read. */
  id: z.string(),
  source: z.literal("/cloverleaf/control"),
  type: z.string(),
  subject: z.string(),
  time: TimeField,
  datacontenttype: z.literal("application/json"),
  data: z.record(z.string(), z.unknown()),
});
export type CloudEvent = z.infer<typeof CloudEvent>;

/** Query of `GET /v1/events`: without a cursor from the oldest event that is kept. */
export const EventQuery = z.object({
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  type: z.enum(EVENT_TYPES).optional(),
});

/** Events in their order. `cursor` goes on behind them, also when there are none yet; 410 when it is of another timeline or too old. */
export const EventPage = z.object({ items: z.array(CloudEvent), cursor: z.string(), hasMore: z.boolean() });
export type EventPage = z.infer<typeof EventPage>;
