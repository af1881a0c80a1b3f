import type { Link } from "./connect.ts";

export type Message = { readonly id: string; readonly topic: string; readonly payload: string };

export type Outbox = {
  /** Takes a message to be sent until it is acknowledged; false when the outbox is full and the message was not taken. */
  add(message: Message): boolean;
  /** Sends everything unacknowledged, and what is added from now on, over this connection. */
  attach(link: Link): void;
  detach(): void;
  readonly size: number;
};

/** Messages held at a time. A vehicle that is offline for long stops recording rather than growing without end. */
const MAX_MESSAGES = 2000;

/** Holds QoS 1 messages until the cell has acknowledged them, over any number of connections. */
export const createOutbox = (events: {
  readonly onAcknowledged: (message: Message, latencyMs: number) => void;
  readonly onRejected: (message: Message) => void;
}): Outbox => {
  const held = new Map<string, Message>();
  let link: Link | null = null;

  const send = async (message: Message, over: Link) => {
    const sentAt = performance.now();
    const outcome = await over.publish(message.topic, message.payload);
    if (outcome === "lost" || !held.delete(message.id)) return;
    if (outcome === "acknowledged") events.onAcknowledged(message, performance.now() - sentAt);
    else events.onRejected(message);
  };

  return {
    add(message) {
      if (held.size >= MAX_MESSAGES) return false;
      held.set(message.id, message);
      if (link !== null) void send(message, link);
      return true;
    },
    attach(next) {
      link = next;
      for (const message of held.values()) void send(message, next);
    },
    detach() {
      link = null;
    },
    get size() {
      return held.size;
    },
  };
};
