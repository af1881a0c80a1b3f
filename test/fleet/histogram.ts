/** Latencies in logarithmic buckets 2 % wide: bounded memory whatever the length of the run. */
export type Histogram = {
  record(milliseconds: number): void;
  /** The value below which this share lies, within 2 %; null while nothing was recorded. */
  percentile(share: number): number | null;
  readonly count: number;
};

const SMALLEST_MS = 0.01;
const GROWTH = Math.log(1.02);
const BUCKETS = 1000;

export const createHistogram = (): Histogram => {
  const buckets = new Uint32Array(BUCKETS);
  let count = 0;
  return {
    record(milliseconds) {
      const index = Math.ceil(Math.log(Math.max(milliseconds, SMALLEST_MS) / SMALLEST_MS) / GROWTH);
      const at = Math.min(index, BUCKETS - 1);
      buckets[at] = (buckets[at] ?? 0) + 1;
      count++;
    },
    percentile(share) {
      let left = Math.ceil(share * count);
      if (left === 0) return null;
      const index = buckets.findIndex((inBucket) => {
        left -= inBucket;
        return left <= 0;
      });
      return SMALLEST_MS * Math.exp(index * GROWTH);
    },
    get count() {
      return count;
    },
  };
};
