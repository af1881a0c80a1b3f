import { describe, expect, test } from "vitest";
import { RuleDryRunAnswer } from "#schema/api/rules.ts";
import { dryRunRule } from "../../../cell-node/rules/dry-run.ts";
import { messageOf, NOON, ruleOf, SECOND } from "./support/rules.ts";

const drive = (...speeds: readonly (number | null)[]) =>
  speeds.map((speedKmh, second) => messageOf(speedKmh === null ? {} : { speedKmh }, second * SECOND, { idOf: () => `m${second}` }));

describe("a dry run", () => {
  test("says what the rule would have done, when, on which message, and what failed", async () => {
    const rule = ruleOf({
      filter: "data.speedKmh > 100",
      actions: [{ kind: "event", type: "fast", data: { kmh: "data.speedKmh" } }],
      quietSeconds: 2,
    });
    const answer = await dryRunRule(rule, drive(90, 110, 120, 130, null));
    expect(RuleDryRunAnswer.parse(answer)).toEqual({
      ...{ messages: 5, matched: 3, failed: 1, errors: [expect.stringContaining("data.speedKmh")] },
      fired: [
        { at: new Date(NOON + SECOND).toISOString(), messageId: "m1", actions: [{ kind: "event", values: { kmh: 110 } }] },
        { at: new Date(NOON + 3 * SECOND).toISOString(), messageId: "m3", actions: [{ kind: "event", values: { kmh: 130 } }] },
      ],
    });
  });

  test("finds the gaps of a rule on absence", async () => {
    const rule = ruleOf({ window: { kind: "absence", seconds: 60 } });
    const [first, , later] = [messageOf({}), messageOf({}, 30 * SECOND), messageOf({}, 120 * SECOND)];
    expect((await dryRunRule(rule, [first, later])).fired).toMatchObject([
      { messageId: null, at: new Date(NOON + 120 * SECOND).toISOString() },
    ]);
  });

  test("a rule that does not hold is refused with its faults", async () => {
    await expect(dryRunRule(ruleOf({ filter: "data." }), [])).rejects.toMatchObject({ code: "validation_failed" });
  });

  test("leaves the thread to others, and ends when it has used up its time", async () => {
    let [now, pauses] = [0, 0];
    const dependencies = {
      elapsedMs: () => {
        now += 1;
        return now;
      },
      pause: async () => {
        pauses += 1;
      },
    };
    const answer = await dryRunRule(ruleOf({}), drive(...Array(5_000).fill(1)), dependencies);
    expect(answer.messages).toBeLessThan(2_100);
    expect(pauses).toBeGreaterThan(300);
    expect(answer.fired).toHaveLength(100);
  });
});
