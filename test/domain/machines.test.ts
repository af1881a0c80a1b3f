import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextEpoch } from "#schema/domain/assignment.ts";
import { advanceCell, CELL_EVENTS, CELL_STATES, type CellEvent, type CellState, parseCellId, takesTraffic } from "#schema/domain/cell.ts";
import { advanceCommand, COMMAND_EVENTS, COMMAND_STATES, type CommandState, isFinal } from "#schema/domain/command.ts";

/** All lawful steps of a machine as "state event -> state". */
const stepsOf = <S extends string, E extends string>(
  states: readonly S[],
  events: readonly E[],
  advance: (state: S, event: E) => S | null,
) =>
  states.flatMap((state) =>
    events.flatMap((event) => {
      const next = advance(state, event);
      return next === null ? [] : [`${state} ${event} -> ${next}`];
    }),
  );

describe("cell", () => {
  test("takes these steps and no other", () => {
    expect(stepsOf(CELL_STATES, CELL_EVENTS, advanceCell)).toEqual([
      "joining approve -> active",
      "joining retire -> retired",
      "active drain -> draining",
      "draining undrain -> active",
      "draining emptied -> drained",
      "drained undrain -> active",
      "drained retire -> retired",
    ]);
  });

  test("only active and draining cells take traffic", () => {
    expect(CELL_STATES.filter(takesTraffic)).toEqual(["active", "draining"]);
  });

  test("I12: a cell with vehicles is never retired: retired comes only from joining and drained", () => {
    const before = CELL_STATES.filter((state) => advanceCell(state, "retire") === "retired");
    expect(before).toEqual(["joining", "drained"]);
  });

  test("no event leads out of retired", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<CellEvent>(...CELL_EVENTS)), (events) => {
        const end = events.reduce<CellState>((state, event) => advanceCell(state, event) ?? state, "retired");
        expect(end).toBe("retired");
      }),
    );
  });

  test.each([
    ["cell-eu-1", true],
    ["ab", true],
    ["a", false],
    ["1cell", false],
    ["Cell-a", false],
    ["cell_a", false],
    ["cell a", false],
    ["cell-a\n", false],
    ["../cell", false],
    ["a".repeat(32), true],
    ["a".repeat(33), false],
    [null, false],
    [["cell-a"], false],
  ])("parseCellId(%j) accepts: %s", (input, isAccepted) => {
    expect(parseCellId(input)).toBe(isAccepted ? input : null);
  });
});

describe("command", () => {
  test("takes these steps and no other", () => {
    expect(stepsOf(COMMAND_STATES, COMMAND_EVENTS, advanceCommand)).toEqual([
      "queued send -> sent",
      "queued accepted -> accepted",
      "queued progress -> accepted",
      "queued succeeded -> succeeded",
      "queued failed -> failed",
      "queued expire -> expired",
      "queued cancel -> cancelled",
      "sent send -> sent",
      "sent accepted -> accepted",
      "sent progress -> accepted",
      "sent succeeded -> succeeded",
      "sent failed -> failed",
      "sent expire -> expired",
      "accepted progress -> accepted",
      "accepted succeeded -> succeeded",
      "accepted failed -> failed",
      "accepted expire -> expired",
    ]);
  });

  test("the final states are the four ends", () => {
    expect(COMMAND_STATES.filter(isFinal)).toEqual(["succeeded", "failed", "expired", "cancelled"]);
  });

  test("I9: whatever happens in whatever order, a final state stays and an expired command is never sent again", () => {
    const anyStart = fc.constantFrom<CommandState>(...COMMAND_STATES);
    fc.assert(
      fc.property(anyStart, fc.array(fc.constantFrom(...COMMAND_EVENTS), { maxLength: 20 }), (start, events) => {
        let state = start;
        for (const event of events) {
          const next = advanceCommand(state, event);
          if (isFinal(state)) expect(next).toBeNull();
          state = next ?? state;
        }
      }),
    );
  });

  test("an open command always can still succeed, fail or expire", () => {
    const open = COMMAND_STATES.filter((state) => !isFinal(state));
    const ends = open.map((state) => (["succeeded", "failed", "expire"] as const).map((event) => advanceCommand(state, event)));
    expect(ends).toEqual(open.map(() => ["succeeded", "failed", "expired"]));
  });
});

test("I2: the next epoch is above the vehicle's own and above every erased or restored one", () => {
  const anyEpoch = fc.integer({ min: 0, max: 2 ** 40 });
  fc.assert(
    fc.property(anyEpoch, anyEpoch, (own, floor) => {
      expect(nextEpoch(own, floor)).toBeGreaterThan(own);
      expect(nextEpoch(own, floor)).toBeGreaterThan(floor);
    }),
  );
  expect(nextEpoch(0, 0)).toBe(1);
  expect(nextEpoch(4, 1_000_004)).toBe(1_000_005);
});
