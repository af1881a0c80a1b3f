import { describe, expect, test } from "vitest";
import { createTableCompleteness } from "../../../cell-node/admission/table-completeness.ts";
import { createTokenBucket } from "../../../cell-node/admission/token-bucket.ts";
import { createClock } from "../../../cell-node/clock.ts";

const SILENCE = 10_000;

const atTime = () => {
  let now = 5;
  return { monotonic: () => now, pass: (ms: number) => (now += ms) };
};

describe("whether the table is known to be complete (row 4)", () => {
  test("not at the start; after the first complete sync it is", () => {
    const time = atTime();
    const completeness = createTableCompleteness(SILENCE, time.monotonic);
    expect(completeness.isComplete()).toBe(false);
    const sentAt = time.pass(100);
    time.pass(50);
    completeness.heard(sentAt, false);
    expect(completeness.isComplete()).toBe(false);
    completeness.heard(sentAt, true);
    expect(completeness.isComplete()).toBe(true);
  });

  test("I4: control silent for 10 s: the cell serves alone, and goes on doing so when control comes back", () => {
    const time = atTime();
    const completeness = createTableCompleteness(SILENCE, time.monotonic);
    for (let i = 0; i < 9; i++) {
      time.pass(1_000);
      expect(completeness.isComplete()).toBe(false);
    }
    time.pass(1_000);
    expect(completeness.isComplete()).toBe(true);
    completeness.heard(time.pass(1_000), false);
    expect(completeness.isComplete()).toBe(true);
  });

  test("while control answers page by page it is not silent", () => {
    const time = atTime();
    const completeness = createTableCompleteness(SILENCE, time.monotonic);
    for (let i = 0; i < 30; i++) {
      completeness.heard(time.pass(1_000), false);
      expect(completeness.isComplete()).toBe(false);
    }
  });

  test("after a gap of 10 s in the monotonic clock control is asked first; an answer from before does not count", () => {
    const time = atTime();
    const completeness = createTableCompleteness(SILENCE, time.monotonic);
    completeness.heard(time.monotonic(), true);
    expect(completeness.isComplete()).toBe(true);
    const sentBefore = time.pass(1_000);
    time.pass(SILENCE);
    expect(completeness.isComplete()).toBe(false);
    completeness.heard(sentBefore, true);
    expect(completeness.isComplete()).toBe(false);
    completeness.heard(time.pass(10), true);
    expect(completeness.isComplete()).toBe(true);
  });

  test("a gap is noticed by the answer that ends it, too", () => {
    const time = atTime();
    const completeness = createTableCompleteness(SILENCE, time.monotonic);
    completeness.heard(time.monotonic(), true);
    const sentBefore = time.pass(10);
    time.pass(SILENCE);
    completeness.heard(sentBefore, true);
    expect(completeness.isComplete()).toBe(false);
  });
});

describe("the connect budget", () => {
  test("a burst, then the rate, never more", () => {
    const take = createTokenBucket(10, 3);
    const taken = (nowMs: number) => {
      let count = 0;
      while (take(nowMs)) count++;
      return count;
    };
    expect(taken(0)).toBe(3);
    expect(taken(50)).toBe(0);
    expect(taken(250)).toBe(2);
    expect(taken(1_000_000)).toBe(3);
    expect(taken(999_000)).toBe(0);
  });
});

describe("the clock", () => {
  const start = () => {
    const time = atTime();
    let wall = 1_000_000;
    const clock = createClock(() => wall, time.monotonic);
    return {
      clock,
      pass: (ms: number) => {
        wall += ms;
        return time.pass(ms);
      },
      monotonic: time.monotonic,
    };
  };

  test("follows control when it is off, half the round trip allowed for", () => {
    const { clock, pass, monotonic } = start();
    const sentAt = monotonic();
    const receivedAt = pass(200);
    clock.correct(1_000_100 + 300_000, sentAt, receivedAt);
    expect(clock.nowMs()).toBe(1_000_200 + 300_000);
    pass(1_000);
    expect(clock.nowMs()).toBe(1_001_200 + 300_000);
  });

  test("leaves a difference of the network's size alone, and comes back when the machine's clock is right again", () => {
    const { clock, pass, monotonic } = start();
    const at = () => monotonic();
    clock.correct(1_000_400, at(), at());
    expect(clock.nowMs()).toBe(1_000_000);
    clock.correct(2_000_000, at(), at());
    expect(clock.nowMs()).toBe(2_000_000);
    pass(10);
    clock.correct(1_000_010, at(), at());
    expect(clock.nowMs()).toBe(1_000_010);
  });
});
