import { expect, test } from "vitest";
import { check, type Model, type Step } from "./checker.ts";

type Counter = { readonly count: { readonly value: number } };

const at = (value: number): Counter => ({ count: { value } });
const step = (label: string, value: number, isFault = false): Step<Counter> => ({ label, next: at(value), isFault });
/** Counts up by one or two until 6; a fault may lead from 4 to 7, where it ends. */
const counter: Model<Counter> = {
  initial: at(0),
  steps: ({ count: { value } }) => [
    ...(value < 6 ? [step("one", value + 1)] : []),
    ...(value < 5 ? [step("two", value + 2)] : []),
    ...(value === 4 ? [step("fault", 7, true)] : []),
  ],
  invariants: {},
  stepInvariants: {},
  goals: {},
  situations: {},
};

test("visits each reachable state once", () => {
  expect(check(counter)).toEqual({ kind: "holds", states: 8, transitions: 12 });
});

test("an invariant that is broken comes with a shortest way there", () => {
  const verdict = check({ ...counter, invariants: { "below 5": ({ count }) => count.value < 5 } });
  expect(verdict).toMatchObject({ kind: "violated", property: "below 5", trace: ["one", "two", "two"] });
});

test("a step that breaks a rule is the last of the trace", () => {
  const verdict = check({ ...counter, stepInvariants: { "never past 6": (_, after) => after.count.value <= 6 } });
  expect(verdict).toMatchObject({ property: "never past 6", trace: ["two", "two", "fault"] });
});

test("a state from which the goal cannot be reached is found, and faults do not count as a way", () => {
  const goals = { "it ends at 6": { from: () => true, to: ({ count }: Counter) => count.value === 6 } };
  expect(check({ ...counter, goals })).toMatchObject({ property: "it ends at 6", trace: ["two", "two", "fault"] });
  const faulty = { "it can fail": { from: () => true, to: ({ count }: Counter) => count.value === 7 } };
  expect(check({ ...counter, goals: faulty })).toMatchObject({ property: "it can fail", trace: [] });
});

test("what never happens is told, and a model that is too large throws", () => {
  const situations = { "it reaches 8": ({ count }: Counter) => count.value === 8 };
  expect(check({ ...counter, situations })).toMatchObject({ property: "it happens that it reaches 8" });
  expect(() => check(counter, 5)).toThrow("more than 5 states");
});
