import { describe, expect, test } from "vitest";
import { createFlights } from "../../router-worker/flights.ts";
import { createFakeClock } from "./support/fake-clock.ts";

const setup = (max = 10) => {
  const clock = createFakeClock();
  const kept: Promise<unknown>[] = [];
  const flights = createFlights<string>({ clock, keepAlive: (work) => void kept.push(work), waitMs: 1_000, max });
  const runs: ((value: string) => void)[] = [];
  const run = () => new Promise<string>((resolve) => void runs.push(resolve));
  return { clock, kept, flights, runs, run };
};

describe("request coalescing", () => {
  test("runs once for all who ask meanwhile, and again for who asks after", async () => {
    const { flights, runs, run, kept } = setup();
    const asked = [flights.share("a", run), flights.share("a", run), flights.share("a", run)];
    runs[0]?.("one");
    expect(await Promise.all(asked)).toEqual(["one", "one", "one"]);
    expect(kept).toHaveLength(1);
    const again = flights.share("a", run);
    runs[1]?.("two");
    expect([await again, runs.length]).toEqual(["two", 2]);
  });

  test("keys do not share", async () => {
    const { flights, runs, run } = setup();
    const asked = [flights.share("a", run), flights.share("b", run)];
    for (const [index, resolve] of runs.entries()) resolve(String(index));
    expect(await Promise.all(asked)).toEqual(["0", "1"]);
  });

  test("a leader whose request was cut off loses its followers after their patience to one new leader", async () => {
    const { clock, flights, runs, run } = setup();
    void flights.share("a", run);
    const followers = [flights.share("a", run), flights.share("a", run)];
    await clock.advance(1_000);
    expect(runs).toHaveLength(2);
    runs[1]?.("anew");
    expect(await Promise.all(followers)).toEqual(["anew", "anew"]);
  });

  test("above the bound nothing is shared and nobody waits for another", async () => {
    const { flights, runs, run } = setup(1);
    const asked = [flights.share("a", run), flights.share("b", run), flights.share("b", run)];
    expect(runs).toHaveLength(3);
    for (const resolve of runs) resolve("own");
    expect(await Promise.all(asked)).toEqual(["own", "own", "own"]);
  });

  test("work begun behind a request is not begun twice", () => {
    const { flights, runs, run } = setup();
    flights.begin("a", run);
    flights.begin("a", run);
    expect([runs.length, flights.isUnderWay("a")]).toEqual([1, true]);
  });
});
