import type { Duplex } from "node:stream";

/** Keeps a place in the order of acknowledgements; call it with the bytes, or with null when there is nothing to say after all. */
export type Acknowledge = (bytes: Buffer | null, done: () => void) => void;

type Slot = { bytes: Buffer | null; done: (() => void) | null };

/**
 * Says the acknowledgements of one connection in the order of the messages [MQTT-4.6.0-2], those that are due together in one write.
 * `done` is called when the peer takes more: one that reads nothing is read no further.
 */
export const createAcknowledger = (conn: Duplex): (() => Acknowledge) => {
  let slots: Slot[] = [];
  let isScheduled = false;

  const flush = (): void => {
    isScheduled = false;
    const open = slots.findIndex((slot) => slot.done === null);
    const due = open < 0 ? slots : slots.slice(0, open);
    slots = open < 0 ? [] : slots.slice(open);
    const bytes = due.flatMap((slot) => slot.bytes ?? []);
    const takesMore = bytes.length === 0 || !conn.writable || conn.write(bytes.length === 1 && bytes[0] ? bytes[0] : Buffer.concat(bytes));
    const goOn = () => {
      for (const slot of due) slot.done?.();
    };
    if (takesMore) goOn();
    else conn.once("drain", goOn);
  };

  return () => {
    const slot: Slot = { bytes: null, done: null };
    slots.push(slot);
    return (bytes, done) => {
      slot.bytes = bytes;
      slot.done = done;
      if (isScheduled || slots[0]?.done === null) return;
      isScheduled = true;
      process.nextTick(flush);
    };
  };
};
