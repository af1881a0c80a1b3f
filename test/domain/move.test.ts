import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  advance,
  isOpen,
  MOVE_EVENTS,
  MOVE_STATES,
  type Move,
  type MoveEvent,
  type MoveState,
  maySwitch,
  orderFor,
  react,
  waitsFor,
} from "#schema/domain/move.ts";
import type { MoveReport } from "#schema/domain/move-message.ts";
import { anyEvent, anyMove, anyReport, moveIn, SOURCE, TARGET, THIRD } from "./move-samples.ts";

const eventOf: Readonly<Record<(typeof MOVE_EVENTS)[number], MoveEvent>> = {
  started: { kind: "started", deadlineAt: 1_000 },
  locked: { kind: "locked", checksum: "sum" },
  committed: { kind: "committed", epoch: 5 },
  stored: { kind: "stored" },
  seen: { kind: "seen" },
  released: { kind: "released" },
  failed: { kind: "failed", reason: "operator" },
};

describe("move", () => {
  test("takes these steps and no other", () => {
    const steps = MOVE_STATES.flatMap((state) =>
      MOVE_EVENTS.flatMap((event) => {
        const next = advance(moveIn({ state }), eventOf[event]);
        return next === null ? [] : [`${state} ${event} -> ${next.state}`];
      }),
    );
    expect(steps).toEqual([
      "planned started -> locking",
      "planned failed -> aborted",
      "locking locked -> copying",
      "locking failed -> unlocking",
      "copying committed -> switching",
      "copying failed -> unlocking",
      "switching stored -> arriving",
      "switching seen -> done",
      "arriving seen -> done",
      "arriving released -> arriving",
      "unlocking released -> aborted",
    ]);
  });

  test("after the switch there is only forward: no failure is taken any more", () => {
    for (const state of ["switching", "arriving", "done"] as const) expect(advance(moveIn({ state }), eventOf.failed)).toBeNull();
  });

  test("is done only by the vehicle: nothing but being seen leads there", () => {
    const ways = MOVE_EVENTS.filter((event) => MOVE_STATES.some((state) => advance(moveIn({ state }), eventOf[event])?.state === "done"));
    expect(ways).toEqual(["seen"]);
  });

  test("a refusal for a stale step lifts the move above what the cell has obeyed", () => {
    const next = advance(moveIn({ state: "locking", step: 2 }), { kind: "failed", reason: "stale_step", heldStep: 9 });
    expect(next).toMatchObject({ state: "unlocking", step: 10, failure: "stale_step" });
  });

  test("steps only rise, and rise with each change of state", () => {
    fc.assert(
      fc.property(anyMove, anyEvent, (move, event) => {
        const next = advance(move, event);
        if (next === null) return;
        if (next.state === move.state) expect(next.step).toBe(move.step);
        else expect(next.step).toBeGreaterThan(move.step);
      }),
    );
  });

  test("I2: the switch may commit only from the epoch at which the source was locked", () => {
    const copying = moveIn({ state: "copying" });
    expect(maySwitch(copying, { cell: SOURCE, epoch: 4 })).toBe(true);
    expect(maySwitch(copying, { cell: SOURCE, epoch: 5 })).toBe(false);
    expect(maySwitch(copying, { cell: THIRD, epoch: 5 })).toBe(false);
    expect(maySwitch(moveIn({ state: "locking" }), { cell: SOURCE, epoch: 4 })).toBe(false);
  });
});

describe("what each cell is told", () => {
  const truth = { cell: TARGET, epoch: 5 };
  test.each<[MoveState, string | null, string | null, string]>([
    ["planned", null, null, "control"],
    ["locking", "lock", null, "source"],
    ["copying", null, "copy", "target"],
    ["switching", null, "settle", "target"],
    ["arriving", "settle", "settle", "vehicle"],
    ["unlocking", "settle", "settle", "source"],
    ["done", "settle", "settle", "nobody"],
    ["aborted", "settle", "settle", "nobody"],
  ])("%s: source %s, target %s, waiting for the %s", (state, source, target, party) => {
    const move = moveIn({ state, deadlineAt: 1_000 });
    expect(orderFor(move, SOURCE, truth)?.kind ?? null).toBe(source);
    expect(orderFor(move, TARGET, truth)?.kind ?? null).toBe(target);
    expect(orderFor(move, THIRD, truth)).toBeNull();
    expect(waitsFor(move)).toBe(party);
  });

  test("an order says all that the cell needs: move, step, epoch, its part and the other side", () => {
    expect(orderFor(moveIn({ state: "locking", step: 2, deadlineAt: 1_000 }), SOURCE, truth)).toEqual({
      ...{ kind: "lock", moveId: "m1", step: 2, epoch: 4, role: "source", peer: TARGET, deadlineAt: 1_000 },
    });
    expect(orderFor(moveIn({ state: "arriving", step: 5 }), SOURCE, truth)).toEqual({
      ...{ kind: "settle", moveId: "m1", step: 5, epoch: 5, owner: TARGET, role: "source", peer: TARGET },
    });
  });
});

describe("what control makes of a report", () => {
  const locking = moveIn({ state: "locking", step: 2 });
  const copying = moveIn({ state: "copying", step: 3, checksum: "sum" });
  const switching = moveIn({ state: "switching", step: 4, toEpoch: 5 });
  const arriving = moveIn({ state: "arriving", step: 5, toEpoch: 5 });
  const unlocking = moveIn({ state: "unlocking", step: 4 });
  const at = (step: number) => ({ moveId: "m1", step });

  test.each<[string, Move, typeof SOURCE, MoveReport, unknown]>([
    ["a lock", locking, SOURCE, { kind: "locked", ...at(2), checksum: "sum" }, { event: { kind: "locked", checksum: "sum" } }],
    [
      "a refusal",
      locking,
      SOURCE,
      { kind: "refused", ...at(2), reason: "busy", heldStep: 0 },
      { event: { kind: "failed", reason: "busy" } },
    ],
    ["waiting", locking, SOURCE, { kind: "waiting", ...at(2), disturbance: "drive" }, { kind: "ignore" }],
    ["a lock of the wrong cell", locking, TARGET, { kind: "locked", ...at(2), checksum: "sum" }, { kind: "ignore" }],
    [
      "a lock of an earlier step",
      moveIn({ ...locking, step: 3 }),
      SOURCE,
      { kind: "locked", ...at(2), checksum: "sum" },
      { kind: "ignore" },
    ],
    ["a lock that comes when it was given up", unlocking, SOURCE, { kind: "locked", ...at(2), checksum: "sum" }, { kind: "ignore" }],
    ["the same checksum", copying, TARGET, { kind: "copied", ...at(3), checksum: "sum" }, { kind: "commit" }],
    ["another checksum", copying, TARGET, { kind: "copied", ...at(3), checksum: "mus" }, { event: { reason: "checksum_mismatch" } }],
    ["a copy of another move", copying, TARGET, { kind: "copied", moveId: "m0", step: 3, checksum: "sum" }, { kind: "ignore" }],
    ["ownership stored", switching, TARGET, { kind: "settled", ...at(4), epoch: 5, isSeen: false }, { event: { kind: "stored" } }],
    [
      "the vehicle seen before control was told of the store",
      switching,
      TARGET,
      { kind: "settled", ...at(3), epoch: 5, isSeen: true },
      { event: { kind: "seen" } },
    ],
    ["an old word of the target", switching, TARGET, { kind: "settled", ...at(3), epoch: 4, isSeen: false }, { kind: "ignore" }],
    ["the source's release", arriving, SOURCE, { kind: "settled", ...at(5), epoch: 5, isSeen: false }, { event: { kind: "released" } }],
    ["the vehicle seen", arriving, TARGET, { kind: "settled", ...at(5), epoch: 5, isSeen: true }, { event: { kind: "seen" } }],
    ["the lock off", unlocking, SOURCE, { kind: "settled", ...at(4), epoch: 4, isSeen: false }, { event: { kind: "released" } }],
    [
      "the target's word while the source is waited for",
      unlocking,
      TARGET,
      { kind: "settled", ...at(4), epoch: 4, isSeen: false },
      { kind: "ignore" },
    ],
    [
      "anything about a closed move",
      moveIn({ state: "done" }),
      TARGET,
      { kind: "settled", ...at(5), epoch: 5, isSeen: true },
      { kind: "ignore" },
    ],
  ])("%s", (_, move, from, report, expected) => {
    expect(react(move, from, report)).toMatchObject(expected as object);
  });

  test("every reaction can be carried out: the move takes the event", () => {
    fc.assert(
      fc.property(anyMove, fc.constantFrom(SOURCE, TARGET), anyReport, (move, from, report) => {
        const reaction = react(move, from, report);
        if (reaction.kind === "advance") expect(advance(move, reaction.event)).not.toBeNull();
        if (reaction.kind === "commit") expect(advance(move, eventOf.committed)).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  test("a move is open until it is done or aborted", () => {
    expect(MOVE_STATES.filter((state) => !isOpen(moveIn({ state })))).toEqual(["done", "aborted"]);
  });
});
