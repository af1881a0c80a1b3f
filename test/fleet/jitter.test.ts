import { describe, expect, test } from "vitest";
import { backoff, delayOf, MOST_FAILURES, parseRetryAfter, parseRetryAfterMs } from "./jitter.ts";

describe("backoff", () => {
  test("I11: full jitter: the spread doubles with each failure up to its cap", () => {
    const spreads = [0, 1, 2, 3, MOST_FAILURES, 1000].map((failures) => backoff(failures).spreadMs);
    expect(spreads).toEqual([250, 500, 1000, 2000, 5000, 5000]);
    expect(delayOf(backoff(3), () => 0)).toBe(0);
    expect(delayOf(backoff(3), () => 0.5)).toBe(1000);
  });

  test("I11: a retry-after is waited out and the crowd is spread over as long again", () => {
    const wait = backoff(0, 30_000);
    expect(delayOf(wait, () => 0)).toBe(30_000);
    expect(delayOf(wait, () => 1)).toBe(60_000);
  });

  test("no wait overflows a timer", () => {
    expect(delayOf(backoff(9, Number.MAX_SAFE_INTEGER), () => 1)).toBeLessThan(2 ** 31);
  });
});

describe("reading retry-after", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  test.each([
    ["2", 2000],
    ["0", 0],
    ["Tue, 01 Jan 2030 00:00:05 GMT", 5000],
    ["Mon, 31 Dec 2029 23:59:00 GMT", 0],
    ["-3", 0],
    ["soon", null],
    ["", null],
    [null, null],
  ])("the header %j is %j ms", (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });

  test.each([
    ["1500", 1500],
    [["700", "800"], 700],
    ["-1", null],
    ["1e3", null],
    [undefined, null],
    [5, null],
  ])("the user property %j is %j ms", (property, expected) => {
    expect(parseRetryAfterMs(property)).toBe(expected);
  });
});
