import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { advanceCommand, COMMAND_EVENTS, COMMAND_STATES, type CommandState } from "#schema/domain/command.ts";
import {
  type CommandCopy,
  compareStamps,
  DESIRED_HISTORY,
  type Desired,
  type DesiredVersion,
  mergeCommands,
  mergeDesired,
  mergeSaid,
} from "#schema/domain/merge.ts";

const small = fc.integer({ min: 0, max: 3 });
const anyCommand: fc.Arbitrary<CommandCopy> = fc.record({
  id: fc.constantFrom("c1", "c2", "c3"),
  state: fc.constantFrom(...COMMAND_STATES),
  updatedAt: small,
  detail: fc.constantFrom("", "done"),
});
/** What one cell holds: each id once. */
const anyCommands = fc.uniqueArray(anyCommand, { selector: ({ id }) => id }).map((commands) => mergeCommands(commands, []));
const anyVersion: fc.Arbitrary<DesiredVersion> = fc.record({ term: small, version: small, document: fc.constantFrom("{}", '{"a":1}') });
const anyDesired: fc.Arbitrary<Desired> = fc
  .array(anyVersion, { minLength: 1, maxLength: 30 })
  .map(([first = { term: 0, version: 0, document: "{}" }, ...rest]) =>
    rest.reduce((desired, current) => mergeDesired(desired, { current, history: [] }), { current: first, history: [] } as Desired),
  );
const anySaid = fc.record({ boot: small, seq: small, value: fc.constantFrom("parked", "driving") });

/** A merge that cells may do in any order, any number of times (Shapiro et al., "Conflict-free replicated data types", 2011). */
const isSemilattice = <T>(any: fc.Arbitrary<T>, merge: (a: T, b: T) => T) =>
  fc.assert(
    fc.property(any, any, any, (a, b, c) => {
      expect(merge(a, b)).toEqual(merge(b, a));
      expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
      expect(merge(a, a)).toEqual(a);
    }),
    { numRuns: 1_000 },
  );

describe("what a return merges", () => {
  test("commands merge in any order, any number of times", () => isSemilattice(anyCommands, mergeCommands));
  test("desired documents merge in any order, any number of times", () => isSemilattice(anyDesired, mergeDesired));
  test("what the vehicle said merges in any order, any number of times", () => isSemilattice(anySaid, mergeSaid));

  const command = (state: CommandState): CommandCopy => ({ id: "c1", state, updatedAt: 0, detail: "" });
  test.each<[CommandState, CommandState, CommandState]>([
    ["queued", "sent", "sent"],
    ["sent", "accepted", "accepted"],
    ["accepted", "succeeded", "succeeded"],
    ["queued", "cancelled", "cancelled"],
    ["cancelled", "sent", "sent"],
    ["expired", "accepted", "accepted"],
    ["expired", "sent", "expired"],
    ["failed", "expired", "failed"],
  ])("I9: a command that is %s here and %s there is %s", (here, there, merged) => {
    expect(mergeCommands([command(here)], [command(there)])).toEqual([command(merged)]);
  });

  test("I9: a merge never takes a command back, but for one that the vehicle accepted and a clock had ended", () => {
    const back = COMMAND_STATES.flatMap((from) =>
      COMMAND_EVENTS.flatMap((event) => {
        const to = advanceCommand(from, event);
        if (to === null) return [];
        const merged = mergeCommands([command(from)], [command(to)])[0]?.state;
        return merged === to ? [] : [`${from} ${event} ${to}: ${merged}`];
      }),
    );
    expect(back).toEqual(["accepted expire expired: accepted"]);
  });

  test("the desired document of the higher term holds, and the one that lost is kept", () => {
    const alone = { current: { term: 1, version: 9, document: "alone" }, history: [] };
    const guest = { current: { term: 2, version: 8, document: "guest" }, history: [] };
    expect(mergeDesired(alone, guest)).toEqual({ current: guest.current, history: [alone.current] });
  });

  test("the history is bounded and keeps the latest", () => {
    const history = Array.from({ length: 30 }, (_, index) => ({ term: 1, version: 30 - index, document: "{}" }));
    const merged = mergeDesired(
      { current: { term: 1, version: 31, document: "{}" }, history },
      { current: { term: 1, version: 40, document: "{}" }, history: [] },
    );
    expect(merged.history).toHaveLength(DESIRED_HISTORY);
    expect(merged.history[0]?.version).toBe(31);
  });

  test("the vehicle's own order counts, not the cells' clocks", () => {
    const early = { boot: 1, seq: 9, value: "driving" };
    const late = { boot: 2, seq: 1, value: "parked" };
    expect(mergeSaid(late, early)).toBe(late);
    expect(compareStamps(early, late)).toBeLessThan(0);
  });
});
