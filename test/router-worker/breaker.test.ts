import { describe, expect, test } from "vitest";
import { createBreaker } from "../../router-worker/breaker.ts";
import { createFakeClock } from "./support/fake-clock.ts";

const SETTINGS = { failures: 3, openMs: 1_000, probeMs: 500 };

const opened = () => {
  const clock = createFakeClock();
  const breaker = createBreaker(clock, SETTINGS);
  for (let failure = 0; failure < SETTINGS.failures; failure++) breaker.failed();
  return { clock, breaker };
};

describe("circuit breaker", () => {
  test("only failures in a row open it", () => {
    const breaker = createBreaker(createFakeClock(), SETTINGS);
    for (const step of ["failed", "failed", "succeeded", "failed", "failed"] as const) breaker[step]();
    expect([breaker.state(), breaker.permits()]).toEqual(["closed", true]);
    breaker.failed();
    expect([breaker.state(), breaker.permits()]).toEqual(["open", false]);
  });

  test("after its time one probe goes, and no second while it is out", async () => {
    const { clock, breaker } = opened();
    await clock.advance(SETTINGS.openMs);
    expect([breaker.permits(), breaker.permits()]).toEqual([true, false]);
    expect(breaker.state()).toBe("half_open");
  });

  test("the probe decides: success closes, failure opens for another term", async () => {
    for (const [report, state, permits] of [
      ["succeeded", "closed", true],
      ["failed", "open", false],
    ] as const) {
      const { clock, breaker } = opened();
      await clock.advance(SETTINGS.openMs);
      breaker.permits();
      breaker[report]();
      expect([breaker.state(), breaker.permits()]).toEqual([state, permits]);
    }
  });

  test("a probe that never reports does not block it for ever", async () => {
    const { clock, breaker } = opened();
    await clock.advance(SETTINGS.openMs);
    breaker.permits();
    await clock.advance(SETTINGS.probeMs);
    expect(breaker.permits()).toBe(true);
  });

  test("a failure that arrives late does not prolong it", async () => {
    const { clock, breaker } = opened();
    await clock.advance(SETTINGS.openMs - 1);
    breaker.failed();
    await clock.advance(1);
    expect(breaker.permits()).toBe(true);
  });
});
