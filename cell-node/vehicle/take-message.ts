import { randomUUID } from "node:crypto";
import * as z from "zod";
import { type ChannelName, parseTopic } from "#schema/domain/topic.ts";
import type { Clock } from "../clock.ts";
import type { Publication, PublishVerdict, Session } from "../gateway/broker.ts";
import type { Metrics } from "../metrics.ts";
import type { Store } from "../store/store.ts";
import type { CommandDesk } from "./command-desk.ts";
import { type JsonPayload, messageIdOf, type PayloadFault, parsePayload } from "./payload.ts";

export type MessageContext = {
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly clock: Clock;
  readonly metrics: Metrics;
};

/** [MQTT 5.0 §3.4.2.1] Payload format invalid. */
const PAYLOAD_FORMAT_INVALID = 0x99;

const CloudEvent = z.looseObject({
  specversion: z.literal("1.0"),
  id: z.string().min(1).max(128),
  source: z.string().min(1),
  type: z.string().min(1),
});

type Message = { readonly session: Session; readonly commandId: string | null; readonly receivedAt: number; readonly json: JsonPayload };
type Take = (context: MessageContext, message: Message) => Promise<PayloadFault | undefined>;

/** What each channel does with valid JSON: it is on disk when the promise resolves, or it is refused. */
const TAKE: Partial<Record<ChannelName, Take>> = {
  async telemetry({ store }, { session, receivedAt, json }) {
    const id = messageIdOf(session.vin, json);
    if (typeof id !== "string") return id;
    await store.storeTelemetry({ vehicle: session.vehicle, id, receivedAt, payload: json.text });
    return undefined;
  },
  async events({ store }, { session, receivedAt, json }) {
    const event = CloudEvent.safeParse(json.value);
    if (!event.success) return { kind: "invalid", reason: "the payload is not a CloudEvent 1.0" };
    const id = `${event.data.source}\n${event.data.id}`;
    await store.save({ uplinks: [["events", { vehicle: session.vehicle, id, receivedAt, payload: json.text }]] });
    return undefined;
  },
  async "twin-reported"({ store }, { session, receivedAt, json }) {
    if (Array.isArray(json.value)) return { kind: "invalid", reason: "a merge patch of the twin is a JSON object" };
    await store.save({ uplinks: [["twin-reported", { vehicle: session.vehicle, id: randomUUID(), receivedAt, payload: json.text }]] });
    return undefined;
  },
  "command-result": ({ commands }, { session, commandId, receivedAt, json }) =>
    commands.takeResult({ session, id: commandId ?? "", receivedAt, json }),
};

const FORBIDDEN: PublishVerdict = { kind: "forbidden", reason: "not a topic that this vehicle may publish to" };
const STORED: PublishVerdict = { kind: "stored" };

/**
 * Takes a publication of a vehicle: by its own topics only, in its own direction (I8), on disk before it is acknowledged (I7).
 * A misfit is refused with 0x99 where MQTT 5 can say so. MQTT 3 cannot: closing would make the vehicle send it for ever, so the bytes
 * are kept apart, on disk like the rest, and acknowledged; with QoS 0 they are dropped. Both are counted.
 */
export const takeMessage = async (context: MessageContext, session: Session, publication: Publication): Promise<PublishVerdict> => {
  const { clock, metrics, store } = context;
  const topic = parseTopic(session.vin, publication.topic);
  const take = topic === null ? undefined : TAKE[topic.channel];
  if (topic === null || take === undefined) {
    metrics.messages.inc({ channel: "none", outcome: "forbidden" });
    return FORBIDDEN;
  }
  const receivedAt = clock.nowMs();
  const json = parsePayload(publication.payload);
  const fault = json.kind === "json" ? await take(context, { session, commandId: topic.commandId, receivedAt, json }) : json;
  metrics.messages.inc({ channel: topic.channel, outcome: fault === undefined ? "stored" : "invalid" });
  if (fault === undefined) return STORED;
  if (session.level === 5) return { kind: "invalid", reasonCode: PAYLOAD_FORMAT_INVALID, reason: fault.reason };
  if (publication.qos > 0) {
    const { topic: name, payload } = publication;
    await store.save({ misfits: [{ vehicle: session.vehicle, topic: name, receivedAt, reason: fault.reason, payload }] });
  }
  return STORED;
};
