import { expect, test } from "vitest";
import { hash53 } from "#schema/domain/hash.ts";

const BUCKETS = 64;
const KEYS = 64_000;

/** Pearson's chi-square of how the hashes of similar keys fall into buckets. */
const chiSquare = (bucketOf: (hash: number) => number): number => {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (let i = 0; i < KEYS; i++) {
    const bucket = bucketOf(hash53(`cell-eu-1/${i}`));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const expected = KEYS / BUCKETS;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
};

/** 63 degrees of freedom: a fair hash stays below in all but one of a million samples. */
const LIMIT = 126;

test.each([
  ["high", (hash: number) => Math.floor(hash / 2 ** 47)],
  ["low", (hash: number) => hash % BUCKETS],
] as const)("similar keys spread evenly over the %s bits", (_, bucketOf) => {
  expect(chiSquare(bucketOf)).toBeLessThan(LIMIT);
});

test("a hash is a safe, non-negative integer and differs for similar texts", () => {
  const texts = ["", "a", "b", "ab", "ba", "\u0000", "🚗", "a".repeat(1000)];
  const hashes = texts.map(hash53);
  expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
  expect(new Set(hashes).size).toBe(texts.length);
});
