import * as z from "zod";
import { type ChannelName, parseTopic } from "#schema/domain/topic.ts";
import type { Clock } from "../clock.ts";
import type { Publication, PublishVerdict, Session } from "../gateway/broker.ts";
import type { Metrics } from "../metrics.ts";
import type { RuleEngine } from "../rules/rule-engine.ts";
import type { Store } from "../store/store.ts";
import type { TwinDesk } from "../twin/twin-desk.ts";
import type { CommandDesk } from "./command-desk.ts";
import { type JsonPayload, messageHash, messageIdOf, type PayloadFault, parsePayload } from "./payload.ts";

export type MessageContext = {
  readonly store: Store;
  readonly commands: CommandDesk;
  readonly twins: Pick<TwinDesk, "takeReported">;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Sees what was stored; never holds it up. */
  readonly rules?: Pick<RuleEngine, "listensTo" | "take">;
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
type Fault = PayloadFault | undefined;
type Take = (context: MessageContext, message: Message) => PayloadFault | Promise<Fault>;

/** What each channel does with valid JSON: it is on disk when the promise resolves, or it is refused. */
const TAKE: Partial<Record<ChannelName, Take>> = {
  telemetry({ store }, { session, receivedAt, json }) {
    const id = messageIdOf(session.vin, json);
    if (typeof id !== "string") return id;
    return store.storeTelemetry({ vehicle: session.vehicle, id, receivedAt, payload: json.text });
  },
  events({ store }, { session, receivedAt, json }) {
    const event = CloudEvent.safeParse(json.value);
    if (!event.success) return { kind: "invalid", reason: "the payload is not a CloudEvent 1.0" };
    const id = `${event.data.source}\n${event.data.id}`;
    return store.save({ uplinks: [["events", { vehicle: session.vehicle, id, receivedAt, payload: json.text }]] });
  },
  "twin-reported": ({ twins }, { session, receivedAt, json }) => twins.takeReported({ session, receivedAt, json }),
  "command-result": ({ commands }, { session, commandId, receivedAt, json }) =>
    commands.takeResult({ session, id: commandId ?? "", receivedAt, json }),
};

const FORBIDDEN: PublishVerdict = { kind: "forbidden", reason: "not a topic that this vehicle may publish to" };
const STORED: PublishVerdict = { kind: "stored" };

/**
 * A misfit is refused with 0x99 where MQTT 5 can say so. MQTT 3 cannot: closing would make the vehicle send it for ever, so the bytes are
 * kept apart, on disk like the rest, and acknowledged; with QoS 0 they are dropped. Both are counted.
 */
const refuse = async (
  context: MessageContext,
  session: Session,
  publication: Publication,
  fault: PayloadFault,
): Promise<PublishVerdict> => {
  const { topic, payload, qos } = publication;
  if (session.level === 5) return { kind: "invalid", reasonCode: PAYLOAD_FORMAT_INVALID, reason: fault.reason };
  const misfit = { vehicle: session.vehicle, topic, receivedAt: context.clock.nowMs(), reason: fault.reason, payload };
  if (qos > 0) await context.store.save({ misfits: [misfit] });
  return STORED;
};

const showRules = ({ rules }: MessageContext, { vin, vinKey }: Session, channel: string, receivedAt: number, json: JsonPayload): void => {
  if (rules?.listensTo(channel) !== true) return;
  const idOf = (): string => {
    const id = messageIdOf(vin, json);
    return typeof id === "string" ? id : messageHash(vin, json.text);
  };
  rules.take({ data: json.value, channel, vin, vinKey, idOf, receivedAt, sizeBytes: json.text.length });
};

/** Takes a publication of a vehicle: by its own topics only, in its own direction (I8), on disk before it is acknowledged (I7). */
export const takeMessage = (context: MessageContext, session: Session, publication: Publication): Promise<PublishVerdict> => {
  const { clock, metrics } = context;
  const topic = parseTopic(session.vin, publication.topic);
  const take = topic === null ? undefined : TAKE[topic.channel];
  if (topic === null || take === undefined) {
    metrics.countMessage("none", "forbidden");
    return Promise.resolve(FORBIDDEN);
  }
  const settle = (fault: Fault): PublishVerdict | Promise<PublishVerdict> => {
    metrics.countMessage(topic.channel, fault === undefined ? "stored" : "invalid");
    if (fault !== undefined) return refuse(context, session, publication, fault);
    if (json.kind === "json") showRules(context, session, topic.channel, receivedAt, json);
    return STORED;
  };
  const receivedAt = clock.nowMs();
  const json = parsePayload(publication.payload);
  const taken = json.kind === "json" ? take(context, { session, commandId: topic.commandId, receivedAt, json }) : json;
  return taken instanceof Promise ? taken.then(settle) : Promise.resolve(settle(taken));
};
