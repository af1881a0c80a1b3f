import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CompiledRule } from "../../../cell-node/rules/compile-rule.ts";
import { compileRule } from "../../../cell-node/rules/compile-rule.ts";
import { evaluateAbsence, evaluateRule, type RuleMessage, type RuleState, type RuleStep } from "../../../cell-node/rules/evaluate-rule.ts";
import { takeIntoWindow, type WindowState } from "../../../cell-node/rules/window.ts";
import { compiledOf, messageOf, NOON, ruleOf, SECOND } from "./support/rules.ts";

const play = (compiled: CompiledRule, messages: readonly RuleMessage[]): RuleStep[] => {
  let state: RuleState | null = null;
  return messages.map((message) => {
    const step = evaluateRule(compiled, state, message);
    if (step.kind === "matched" || step.kind === "fired") state = step.state;
    return step;
  });
};
const kinds = (steps: readonly RuleStep[]) => steps.map((step) => (step.kind === "matched" && step.isQuiet ? "quiet" : step.kind));
const speeds = (...values: readonly number[]) => values.map((speedKmh, second) => messageOf({ speedKmh }, second * SECOND));

describe("a rule", () => {
  test("filters, derives and acts with the values that it worked out", () => {
    const compiled = compiledOf({
      filter: "data.speedKmh > 100.0",
      derive: { mps: "data.speedKmh / 3.6", doubled: "derived.mps * 2.0" },
      actions: [
        {
          kind: "event",
          type: "too.fast",
          data: { doubled: "derived.doubled", speed: "data.speedKmh", count: "int(3)", at: "receivedAt" },
        },
        { kind: "command", type: "speed.limit", arguments: { kmh: "100" } },
      ],
    });
    const [slow, fast] = play(compiled, [messageOf({ speedKmh: 50 }), messageOf({ speedKmh: 180 })]);
    expect(slow).toEqual({ kind: "passed_by" });
    expect(fast).toMatchObject({
      kind: "fired",
      effects: [
        { action: { kind: "event", type: "too.fast" }, values: { doubled: 100, speed: 180, count: 3, at: new Date(NOON).toISOString() } },
        { action: { kind: "command" }, values: { kmh: 100 } },
      ],
    });
  });

  test("that fails on a message says where, and remembers nothing of it", () => {
    const [missing, typed] = play(compiledOf({ filter: "data.a > 1 && data.b.size() > 1" }), [messageOf({}), messageOf({ a: 2, b: 3 })]);
    expect([missing, typed]).toEqual([
      { kind: "failed", isTimeout: false, reason: expect.stringContaining("data.a > 1") },
      { kind: "failed", isTimeout: false, reason: expect.stringContaining("data.b.size()") },
    ]);
    const [huge] = play(compiledOf({ actions: [{ kind: "event", type: "x", data: { all: "data" } }] }), [
      messageOf({ text: "x".repeat(20_000) }),
    ]);
    expect(huge).toMatchObject({ kind: "failed", reason: expect.stringContaining("too large") });
  });

  test("is quiet for a while after it acted, for this vehicle", () => {
    const compiled = compiledOf({ quietSeconds: 2 });
    expect(kinds(play(compiled, speeds(1, 1, 1, 1)))).toEqual(["fired", "quiet", "fired", "quiet"]);
  });

  test.each([
    ["filter", { filter: "data.a" }, []],
    ["filter of another type", { filter: "'yes'" }, ["/filter"]],
    ["derived value", { derive: { a: "data.", b: "nobody" } }, ["/derive/a", "/derive/b"]],
    ["watched text", { window: { kind: "rate", seconds: 5, value: "vin", above: 1 } }, ["/window/value"]],
    [
      "action",
      {
        actions: [
          { kind: "event", type: "a" },
          { kind: "twin", desired: { x: "1 +" } },
        ],
      },
      ["/actions/1/desired/x"],
    ],
    [
      "absence that reads the message",
      { window: { kind: "absence", seconds: 5 }, actions: [{ kind: "event", type: "a", data: { x: "data.x" } }] },
      ["/actions"],
    ],
  ])("is checked when it is saved: %s", (_, more, pointers) => {
    const compiled = compileRule(ruleOf(more));
    expect("kind" in compiled ? compiled.faults.map(({ pointer }) => pointer) : []).toEqual(pointers);
  });
});

describe("windows", () => {
  test("count: so many within the time", () => {
    const compiled = compiledOf({ filter: "data.speedKmh > 100", window: { kind: "count", seconds: 3, atLeast: 3 } });
    expect(kinds(play(compiled, speeds(120, 50, 120, 120, 120, 50, 50, 120)))).toEqual([
      ...["matched", "passed_by", "matched", "matched", "fired", "passed_by", "passed_by", "matched"],
    ]);
  });

  test("count agrees with counting over everything, in any rhythm, and keeps no more than it needs", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3_000), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 10 }),
        (gaps, atLeast, seconds) => {
          let [at, state]: [number, WindowState | null] = [0, null];
          const seen: number[] = [];
          for (const gap of gaps) {
            at += gap;
            seen.push(at);
            const step = takeIntoWindow({ kind: "count", seconds, atLeast }, state, at, 0);
            state = step.state;
            expect(step.isOpen).toBe(seen.filter((time) => at - time < seconds * 1000).length >= atLeast);
            expect(step.state.kind === "count" && step.state.times.length).toBeLessThanOrEqual(atLeast);
          }
        },
      ),
    );
  });

  test("rate: how fast a number changes per second", () => {
    const compiled = compiledOf({ window: { kind: "rate", seconds: 10, value: "data.speedKmh", above: 5, below: -5 } });
    expect(kinds(play(compiled, speeds(50, 54, 58, 70, 70, 40)))).toEqual(["matched", "matched", "matched", "fired", "matched", "matched"]);
    expect(kinds(play(compiled, speeds(50, 40)))).toEqual(["matched", "fired"]);
  });

  test("rate keeps a bounded number of samples, whatever arrives, and looks back over the whole time", () => {
    let state: WindowState | null = null;
    const window = { kind: "rate", seconds: 10, value: "", above: 0.9 } as const;
    for (let at = 1; at <= 30_000; at += 7) {
      const step = takeIntoWindow(window, state, at, at / 1000);
      state = step.state;
      if (step.state.kind !== "rate") throw new Error("another window");
      expect(step.state.samples.length).toBeLessThanOrEqual(65);
      if (at > 12_000) expect(at - (step.state.samples[0]?.at ?? 0)).toBeGreaterThan(9_000);
      if (at > 100) expect(step.isOpen).toBe(true);
    }
  });

  test("absence: acts once when nothing came for so long, and again after another message", () => {
    const compiled = compiledOf({
      window: { kind: "absence", seconds: 10 },
      actions: [{ kind: "event", type: "lost", data: { last: "receivedAt", who: "vinKey" } }],
    });
    const step = evaluateRule(compiled, null, messageOf({}));
    if (step.kind !== "matched" || step.state === null) throw new Error(step.kind);
    expect(evaluateAbsence(compiled, step.state, "vin-key-1", NOON + 9_999)).toBeNull();
    expect(evaluateAbsence(compiled, step.state, "vin-key-1", NOON + 10_000)).toMatchObject({
      kind: "fired",
      state: null,
      effects: [{ values: { last: new Date(NOON).toISOString(), who: "vin-key-1" } }],
    });
  });
});
