import { resultTopicOf, topicOf } from "#schema/domain/topic.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Clock } from "../clock.ts";
import type { Broker, Session } from "../gateway/broker.ts";
import type { CommandRow } from "../store/store.ts";
import type { Serving } from "./serving.ts";

export type CourierContext = {
  readonly broker: () => Broker;
  readonly serving: Serving;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The command as it is now, if it is open. */
  readonly current: (row: CommandRow) => CommandRow | undefined;
  readonly onSent: (row: CommandRow) => Promise<void>;
};

/** Hands commands to connected vehicles: in order, once per connection, under the same id, never after their expiry (I9). */
export type Courier = {
  deliver(session: Session, rows: readonly CommandRow[]): Promise<void>;
  /** Whether the command waits for a connection that listens. */
  isBehind(row: CommandRow): boolean;
  /** Whether a vehicle has it, or may have. */
  isHanded(row: CommandRow): boolean;
  forget(row: CommandRow): void;
};

export const createCourier = ({ broker, serving, clock, logger, current, onSent }: CourierContext): Courier => {
  /** On which connection each command went out last: once is enough there, QoS 1 sees to the rest. */
  const handedTo = new Map<string, Session>();

  const isDue = (row: CommandRow): boolean => (row.state === "queued" || row.state === "sent") && row.expiresAt > clock.nowMs();

  const hand = async (session: Session, listed: CommandRow): Promise<void> => {
    const row = current(listed);
    if (row === undefined || !isDue(row) || handedTo.get(row.id) === session) return;
    handedTo.set(row.id, session);
    const isSent = await broker().deliver(session, {
      topic: topicOf(session.vin, "commands"),
      payload: row.token,
      contentType: "application/jose",
      responseTopic: resultTopicOf(session.vin, row.id),
      correlationData: row.id,
      expiresInSeconds: Math.max(1, Math.ceil((row.expiresAt - clock.nowMs()) / 1000)),
    });
    if (isSent) await onSent(row);
    else if (handedTo.get(row.id) === session) handedTo.delete(row.id);
  };

  return {
    async deliver(session, rows) {
      try {
        for (const row of rows) await serving.ifServed(session.vehicle, () => hand(session, row));
      } catch (error) {
        logger.error("a command could not be sent", { vinKey: session.vinKey, error });
      }
    },
    isBehind: (row) => isDue(row) && !handedTo.has(row.id),
    isHanded: ({ id }) => handedTo.has(id),
    forget: ({ id }) => void handedTo.delete(id),
  };
};
