import { describe, expect, test } from "vitest";
import { BUGS } from "./bugs.ts";
import { check } from "./checker.ts";
import { modelOf } from "./model.ts";
import { SCENARIOS } from "./scenarios.ts";

describe("the checker tells", () => {
  const model = (bug: keyof typeof BUGS) => modelOf(SCENARIOS["a move with a command waiting"], BUGS[bug]);

  test("a lock released by a timer", () => {
    expect(check(model("a lock released by a timer"))).toMatchObject({
      kind: "violated",
      property: "a lock ends by proof: control has given the move up, or the vehicle has another owner",
      trace: ["control starts a move", "cell-a takes lock (move 1, step 2, epoch 1)", "a timer of cell-a runs out"],
    });
  });

  test("what a lock released by a timer does to the vehicle: an acknowledged message stays behind", () => {
    const faulty = model("a lock released by a timer");
    const invariants = Object.fromEntries(Object.entries(faulty.invariants).filter(([name]) => name.startsWith("I7")));
    const verdict = check({ ...faulty, invariants, stepInvariants: {} });
    expect(verdict.kind).toBe("violated");
    expect(verdict.kind === "violated" && verdict.trace.slice(-3)).toEqual([
      "a timer of cell-a runs out",
      "the vehicle connects to cell-a with its device credential",
      "cell-a acknowledges telemetry 1",
    ]);
  });

  test.each([
    ["a stale publication believed", "I2: epochs only rise", "cell-a takes feed (cell-a at epoch 1)"],
    [
      "a command signed again under another id",
      "I9: no command is executed twice, nor after its expiry",
      "the vehicle receives unlock again",
    ],
    [
      "an expiry that the vehicle does not look at",
      "I9: no command is executed twice, nor after its expiry",
      "the vehicle receives unlock",
    ],
    [
      "a message acknowledged before it is stored",
      "I7: what was acknowledged is with the owner, or with the standby that stands in for it",
      "cell-a is killed and starts again",
    ],
    [
      "an epoch used twice",
      "I1: at each epoch at most one cell admits the vehicle as its owner",
      "the vehicle connects to cell-b with its device credential",
    ],
  ] as const)("%s", (bug, property, last) => {
    const verdict = check(model(bug));
    expect(verdict).toMatchObject({ kind: "violated", property });
    expect(verdict.kind === "violated" && verdict.trace.at(-1)).toBe(last);
  });
});
