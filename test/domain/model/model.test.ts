import { describe, test } from "vitest";
import { expectToHold } from "./expect-to-hold.ts";
import { SCENARIOS } from "./scenarios.ts";

describe("I1, I2, I7, I9: two cells and a vehicle, in every order of events", () => {
  test.each(Object.entries(SCENARIOS))("%s: nothing is lost or done twice, and all ends well", { timeout: 60_000 }, expectToHold);
});
