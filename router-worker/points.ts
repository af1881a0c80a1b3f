import type { Clock } from "./clock.ts";
import type { Count, Metrics } from "./metrics.ts";

/** One point in the shape of Analytics Engine: what is counted and its labels, how many since the last point, and the POP to sample by. */
export type Point = { readonly blobs: string[]; readonly doubles: number[]; readonly indexes: string[] };
export type WritePoint = (point: Point) => void;

export type PointFlusher = {
  /** Writes what was counted since the last time, at most every ten seconds; costs a comparison otherwise. */
  flush(): void;
};

const EVERY_MS = 10_000;
/** A request may write 250 points; what does not fit goes with the next flush. */
const MAX_POINTS = 200;

const keyOf = ({ name, labels }: Count): string => [name, ...labels].join(" ");

/** Sends counts on as differences, so that the sums of all isolates are the truth; an isolate that ends takes ten seconds of counts along at most. */
export const createPointFlusher = (options: {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly popId: string;
  readonly write: WritePoint | null;
}): PointFlusher => {
  const { metrics, clock, popId, write } = options;
  const sent = new Map<string, number>();
  let nextAtMs = 0;
  return {
    flush() {
      const nowMs = clock.now();
      if (write === null || nowMs < nextAtMs) return;
      nextAtMs = nowMs + EVERY_MS;
      const news = metrics.counts().filter((count) => count.value > (sent.get(keyOf(count)) ?? 0));
      for (const count of news.slice(0, MAX_POINTS)) {
        const { name, labels, value } = count;
        write({ blobs: [name, ...labels], doubles: [value - (sent.get(keyOf(count)) ?? 0)], indexes: [popId] });
        sent.set(keyOf(count), value);
      }
    },
  };
};
