import type { Codec } from "./codec.ts";

/** GB/T 32960.3 §6.4: six bytes of Beijing time, which has been GMT+8 without summer time since 1991. */
const OFFSET_MS = 8 * 3_600_000;
const CENTURY = 2000;

/** Milliseconds since the epoch; null when the six bytes are no time. */
export const beijingTime: Codec<number | null> = {
  read(reader) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = reader.take(6);
    const wall = Date.UTC(CENTURY + year, month - 1, day, hour, minute, second);
    const back = new Date(wall);
    // Date.UTC carries what is out of range over to the next field: then the fields differ.
    const isTime =
      year <= 99 &&
      back.getUTCMonth() === month - 1 &&
      back.getUTCDate() === day &&
      back.getUTCHours() === hour &&
      back.getUTCMinutes() === minute &&
      back.getUTCSeconds() === second;
    return isTime ? wall - OFFSET_MS : null;
  },
  write(writer, value) {
    const wall = new Date((value ?? 0) + OFFSET_MS);
    const date = [wall.getUTCFullYear() - CENTURY, wall.getUTCMonth() + 1, wall.getUTCDate()];
    const time = [wall.getUTCHours(), wall.getUTCMinutes(), wall.getUTCSeconds()];
    writer.put(value === null ? Buffer.alloc(6, 0xff) : Buffer.from([...date, ...time]));
  },
};
