import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  advanceFailover,
  FAILOVER_PHASES,
  type FailoverEvent,
  laterFailover,
  mayEndReturn,
  NEVER_FAILED_OVER,
} from "#schema/domain/failover.ts";
import { bidFarewell, type Guest, handOver, isFailedOverFor, isStaying, mayActAsHost, welcome } from "#schema/domain/guest.ts";
import { isTableComplete, mayServe, type ServiceFacts } from "#schema/domain/serving.ts";
import { advanceStanding, FIRST_STANDING, mayActAsOwner, type Standing } from "#schema/domain/standing.ts";
import { device, locked, moved, owned, SELF, ticket } from "./admission-facts.ts";
import { anyFailover, failover, OWNER, STANDBY } from "./failover-samples.ts";
import { cell } from "./samples.ts";

const declared: FailoverEvent = { kind: "declared", standby: STANDBY };
const EVENTS: readonly FailoverEvent[] = [declared, { kind: "return_begun" }, { kind: "return_ended" }];

describe("failover of a cell", () => {
  test("takes these steps and no other", () => {
    const steps = FAILOVER_PHASES.flatMap((phase) =>
      EVENTS.flatMap((event) => {
        const next = advanceFailover(failover(phase, 1), event);
        return next === null ? [] : [`${phase} ${event.kind} -> ${next.phase} ${next.term}`];
      }),
    );
    expect(steps).toEqual([
      "failed_over return_begun -> returning 1",
      "returning declared -> failed_over 2",
      "returning return_ended -> serving 1",
      "serving declared -> failed_over 2",
    ]);
  });

  test("terms only rise, and each account is later than the one before", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 20 }), (events) => {
        let state = NEVER_FAILED_OVER;
        for (const event of events) {
          const next = advanceFailover(state, event);
          if (next === null) continue;
          expect(next.term).toBeGreaterThanOrEqual(state.term);
          expect(laterFailover(state, next)).toEqual(next);
          expect(laterFailover(next, state)).toEqual(next);
          state = next;
        }
      }),
    );
  });

  test("while vehicles are on their way home only the standby that has them takes over again", () => {
    expect(advanceFailover(failover("returning", 1), { kind: "declared", standby: cell("cell-x") })).toBeNull();
  });

  test("accounts may come late, twice and in any order: the same one is held in the end", () => {
    fc.assert(
      fc.property(anyFailover, anyFailover, anyFailover, (a, b, c) => {
        expect(laterFailover(a, b)).toEqual(laterFailover(b, a));
        expect(laterFailover(laterFailover(a, b), c)).toEqual(laterFailover(a, laterFailover(b, c)));
        expect(laterFailover(a, a)).toEqual(a);
      }),
    );
  });

  test("a return ends when the standby, knowing of it, has no guest left", () => {
    expect(mayEndReturn(failover("returning", 2), { term: 2, guests: 0 })).toBe(true);
    expect(mayEndReturn(failover("returning", 2), { term: 2, guests: 1 })).toBe(false);
    expect(mayEndReturn(failover("returning", 2), { term: 1, guests: 0 })).toBe(false);
    expect(mayEndReturn(failover("failed_over", 2), { term: 2, guests: 0 })).toBe(false);
  });
});

describe("the cell itself", () => {
  const told = (phase: "serving" | "failed_over" | "returning", term: number): Standing => ({
    mode: "told",
    failover: failover(phase, term),
  });

  test("asks before it acts, at its start and after it stood still", () => {
    expect(mayActAsOwner(FIRST_STANDING, 0)).toBe(false);
    const thawed = advanceStanding(told("serving", 0), { kind: "woke" });
    expect(mayActAsOwner(thawed, 0)).toBe(false);
    expect(mayActAsOwner(advanceStanding(thawed, { kind: "answered", failover: failover("serving", 0) }), 0)).toBe(true);
  });

  test("I4: serves alone what it owned when control is silent; one that was told goes on as it was told", () => {
    expect(mayActAsOwner(advanceStanding(FIRST_STANDING, { kind: "silence" }), 0)).toBe(true);
    expect(advanceStanding(told("failed_over", 1), { kind: "silence" })).toEqual(told("failed_over", 1));
  });

  test("yields while it is failed over, and takes each vehicle back when that one is home", () => {
    expect(mayActAsOwner(told("failed_over", 2), 2)).toBe(false);
    expect(mayActAsOwner(told("returning", 2), 1)).toBe(false);
    expect(mayActAsOwner(told("returning", 2), 2)).toBe(true);
    expect(mayActAsOwner(told("serving", 2), 0)).toBe(true);
  });

  test("an answer of an earlier term never undoes a later one", () => {
    const later = advanceStanding(told("failed_over", 2), { kind: "answered", failover: failover("serving", 1) });
    expect(later.failover).toEqual(failover("failed_over", 2));
  });
});

describe("the standby and its guest", () => {
  const stranger = { record: null, stay: null };
  const guest = welcome(OWNER, 2, 4, stranger);
  const gone = handOver(OWNER, failover("returning", 2), 2, guest);

  test("is host in the term of the failover, and no longer once it handed the vehicle over", () => {
    expect(mayActAsHost(OWNER, failover("failed_over", 2), guest)).toBe(true);
    expect(mayActAsHost(OWNER, failover("returning", 2), guest)).toBe(true);
    expect(gone).not.toBeNull();
    expect(gone !== null && mayActAsHost(OWNER, failover("returning", 2), gone)).toBe(false);
    expect(mayActAsHost(OWNER, failover("serving", 2), guest)).toBe(false);
  });

  test("a session that outlived its term is not served before the vehicle has come again", () => {
    expect(mayActAsHost(OWNER, failover("failed_over", 3), guest)).toBe(false);
    expect(isFailedOverFor(OWNER, failover("failed_over", 3), guest)).toBe(true);
    expect(mayActAsHost(OWNER, failover("failed_over", 3), welcome(OWNER, 3, 4, guest))).toBe(true);
  });

  test("nobody becomes a guest while the others return", () => {
    expect(isFailedOverFor(OWNER, failover("returning", 2), stranger)).toBe(false);
    expect(isFailedOverFor(OWNER, failover("returning", 2), guest)).toBe(true);
  });

  test("hands over in the term of the return only, as often as it is asked", () => {
    expect(handOver(OWNER, failover("failed_over", 2), 2, guest)).toBeNull();
    expect(handOver(OWNER, failover("returning", 2), 1, guest)).toBeNull();
    expect(gone === null ? null : handOver(OWNER, failover("returning", 2), 2, gone)).toEqual(gone);
    expect(handOver(OWNER, failover("returning", 2), 2, stranger)).toEqual(stranger);
  });

  test("lets the guest go when its owner has it; a word about an earlier stay changes nothing", () => {
    expect(bidFarewell(guest, 2)).toBe(guest);
    const home = gone === null ? guest : bidFarewell(gone, 2);
    expect(home.record).toMatchObject({ isReturned: true });
    expect(isStaying(OWNER, home)).toBe(false);
    const again = welcome(OWNER, 3, 4, home);
    expect(bidFarewell(again, 2)).toBe(again);
    expect(isStaying(OWNER, again)).toBe(true);
  });

  test("I2: a guest that had moved away from here keeps the higher epoch", () => {
    expect(welcome(OWNER, 2, 3, { record: moved(5, OWNER), stay: null }).record?.epoch).toBe(5);
  });
});

describe("whether a cell serves a vehicle", () => {
  const told = (phase: "serving" | "failed_over", term: number): Standing => ({ mode: "told", failover: failover(phase, term) });
  const asking: Standing = { mode: "asking", failover: NEVER_FAILED_OVER };
  const own = { record: owned(4), stay: null };
  const facts = (standing: Standing, guest: Guest, peer = failover("failed_over", 2)): ServiceFacts => ({
    ...{ standing, homeTerm: 0, guest, failoverOf: () => peer },
  });

  test.each<[string, ServiceFacts, boolean]>([
    ["its own", facts(told("serving", 0), own), true],
    ["its own, before control has answered", facts(asking, own), false],
    ["its own, while it is failed over itself", facts(told("failed_over", 1), own), false],
    ["one that is locked", facts(told("serving", 0), { record: locked(4), stay: null }), false],
    ["a guest in this term", facts(told("serving", 0), welcome(OWNER, 2, 4, own)), true],
    ["a guest of an earlier term", facts(told("serving", 0), welcome(OWNER, 1, 4, own)), false],
    ["a guest whose owner serves again", facts(told("serving", 0), welcome(OWNER, 2, 4, own), failover("serving", 2)), false],
    ["a guest, alone after a restart", facts({ ...asking, mode: "alone" }, welcome(OWNER, 2, 4, own)), true],
    ["one that moved away", facts(told("serving", 0), { record: moved(4), stay: null }), false],
  ])("%s", (_, service, expected) => {
    expect(mayServe(service)).toBe(expected);
  });

  test("admission waits with what the cell would do as the owner, not with sending others on", () => {
    const yielding = facts(told("failed_over", 1), own);
    expect(isTableComplete(SELF, yielding, device)).toBe(false);
    const away = facts(told("failed_over", 1), { record: moved(4), stay: null });
    expect(isTableComplete(SELF, away, device)).toBe(true);
    expect(isTableComplete(SELF, away, ticket(SELF, 5))).toBe(false);
    expect(isTableComplete(SELF, facts(asking, away.guest), device)).toBe(false);
  });
});
