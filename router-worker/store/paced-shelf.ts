import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import type { Bucket } from "../limits.ts";
import type { Shelf } from "./port.ts";

/**
 * A shelf that is written at a bounded pace (I11), and never twice with the same value. What comes faster is dropped: it is offered again when it is next
 * read, so that the vehicles that keep coming are all shelved in time.
 */
export const createPacedShelf = (shelf: Shelf, pace: Bucket, clock: Clock, max: number): Shelf => {
  const written = new LRUCache<string, string>({ max });
  return {
    read: (key) => shelf.read(key),
    write(key, value) {
      if (written.get(key) === value || pace.take(1, clock.now()) > 0) return undefined;
      written.set(key, value);
      return shelf.write(key, value);
    },
  };
};
