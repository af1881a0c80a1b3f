import { expect, test } from "vitest";
import { createServing, type Footing } from "../../../cell-node/vehicle/serving.ts";

const at = (first: Footing) => {
  const state = { footing: first };
  return { state, serving: createServing(() => state.footing) };
};

test("work for a vehicle that is held waits, and runs when it is served again", async () => {
  const { state, serving } = at("held");
  const work = serving.whenServed(1, async () => "done");
  expect(serving.ifServed(1, async () => "done")).toBeNull();
  serving.review();
  state.footing = "served";
  serving.review();
  expect(await work).toBe("done");
});

test("I7: work that waits for a vehicle that is lost is never done", async () => {
  const { state, serving } = at("held");
  let isDone = false;
  const work = serving.whenServed(1, async () => {
    isDone = true;
  });
  state.footing = "lost";
  serving.review();
  expect([await work, isDone]).toEqual([null, false]);
});

test("a vehicle is still when the work that had begun has ended, and no more begins until it is resumed", async () => {
  const { serving } = at("served");
  const gate = Promise.withResolvers<void>();
  const begun = serving.whenServed(1, () => gate.promise);
  let isStill = false;
  const still = serving.still(1).then(() => {
    isStill = true;
  });
  const waiting = serving.whenServed(1, async () => "later");
  await Promise.resolve();
  expect([isStill, serving.ifServed(1, async () => "now"), serving.unlessHeld(1, async () => "now")]).toEqual([false, null, null]);
  expect(await serving.ifServed(2, async () => "another vehicle")).toBe("another vehicle");
  gate.resolve();
  await Promise.all([begun, still]);
  serving.resume(1);
  expect(await waiting).toBe("later");
});

test("work that fails ends too", async () => {
  const { serving } = at("served");
  await expect(serving.whenServed(1, () => Promise.reject(new Error("disk")))).rejects.toThrow("disk");
  await serving.still(1);
});
