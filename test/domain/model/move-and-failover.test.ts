import { test } from "vitest";
import { expectToHold } from "./expect-to-hold.ts";
import { CALM } from "./scenarios.ts";

const NAME = "a move and a failover of either cell at the same time";

test(`I1, I2, I7, I9: ${NAME}: nothing is lost, and all ends well`, { timeout: 60_000 }, () =>
  expectToHold(NAME, { ...CALM, moves: 1, failovers: 1 }),
);
