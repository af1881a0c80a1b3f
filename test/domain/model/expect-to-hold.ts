import { expect } from "vitest";
import { check } from "./checker.ts";
import { modelOf } from "./model.ts";
import type { Bounds } from "./world.ts";

/** Checks a scenario to its end and says how large it was. */
export const expectToHold = (name: string, bounds: Bounds): void => {
  const verdict = check(modelOf(bounds));
  expect(verdict).toMatchObject({ kind: "holds" });
  if (verdict.kind === "holds") console.log(`${name}: ${verdict.states} states, ${verdict.transitions} transitions`);
};
