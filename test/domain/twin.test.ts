import { describe, expect, test } from "vitest";
import type { JsonObject } from "#schema/domain/merge-patch.ts";
import { readReported } from "#schema/domain/reported.ts";
import { desiredMessageFor, EMPTY_TWIN, NO_DESIRED, patchDesired, TWIN_LIMITS, type Twin, takeReport } from "#schema/domain/twin.ts";

const NOON = Date.UTC(2026, 10, 20, 12);

const taken = (twin: Twin, payload: JsonObject, nowMs = NOON): Twin => {
  const outcome = takeReport(twin, payload, nowMs);
  if (outcome.kind === "misfit") throw new Error(outcome.reason);
  return outcome.twin;
};
const stamped = (boot: number, seq: number, patch: JsonObject): JsonObject => ({ ...patch, $stamp: { boot, seq } });
const desiredOf = (version: number, document: JsonObject, term = 0) => ({ term, version, document: JSON.stringify(document) });

describe("a reported twin", () => {
  test("what is said without numbers holds in the order in which it comes, within one millisecond too", () => {
    const twin = [{ a: 1, b: { c: 1 } }, { a: 2 }, { b: { c: null, d: 3 } }].reduce<Twin>((each, patch) => taken(each, patch), EMPTY_TWIN);
    expect(readReported(twin.reported)).toEqual({ a: 2, b: { d: 3 } });
  });

  test("what is numbered holds in the vehicle's order, whenever it comes", () => {
    const late = taken(taken(EMPTY_TWIN, stamped(2, 1, { a: "new" })), stamped(1, 9, { a: "old", b: "old" }));
    expect(readReported(late.reported)).toEqual({ a: "new", b: "old" });
    expect(late.last).toMatchObject({ boot: 2, seq: 1 });
  });

  test("$stamp and $desired are no part of the document", () => {
    const twin = taken(EMPTY_TWIN, { a: 1, $stamp: { boot: 1, seq: 1 }, $desired: { term: 0, version: 4 } });
    expect(readReported(twin.reported)).toEqual({ a: 1 });
    expect(twin.held).toEqual({ term: 0, version: 4 });
    expect(taken(twin, stamped(1, 2, { $desired: null })).held).toBeNull();
  });

  test("its activity counts from when it came; a late report does not bring an old one back", () => {
    const driving = taken(EMPTY_TWIN, stamped(1, 5, { activity: "driving" }));
    expect(driving.activity).toEqual({ activity: "driving", at: NOON });
    expect(taken(driving, stamped(1, 4, { activity: "parked" }), NOON + 1).activity?.activity).toBe("driving");
    expect(taken(driving, stamped(1, 6, { soc: 3 }), NOON + 1).activity?.at).toBe(NOON);
    expect(taken(driving, stamped(1, 6, { activity: "flying" }), NOON + 1).activity).toBeNull();
  });

  test.each<[string, Twin, JsonObject]>([
    ["no number once it numbers", taken(EMPTY_TWIN, stamped(1, 1, {})), { a: 1 }],
    ["a boot of 0", EMPTY_TWIN, stamped(0, 1, {})],
    ["a number that is none", EMPTY_TWIN, { $stamp: { boot: "1", seq: 1 } }],
    ["a version that is none", EMPTY_TWIN, { $desired: { version: -1 } }],
    ["too much", EMPTY_TWIN, { a: "x".repeat(TWIN_LIMITS.documentLength) }],
    ["too deep", EMPTY_TWIN, JSON.parse(`${'{"a":'.repeat(17)}1${"}".repeat(17)}`) as JsonObject],
  ])("%s is refused", (_, twin, payload) => {
    expect(takeReport(twin, payload, NOON).kind).toBe("misfit");
  });

  test("members that come and go leave bounded traces, and the document as it should be", () => {
    let twin = EMPTY_TWIN;
    for (let i = 1; i <= 2_000; i++) twin = taken(twin, { [`trip-${i}`]: { km: i }, [`trip-${i - 1}`]: null });
    expect(readReported(twin.reported)).toEqual({ "trip-2000": { km: 2_000 } });
    expect(Object.keys(twin.reported).length).toBeLessThanOrEqual(TWIN_LIMITS.lostPlaces + 3);
  });
});

describe("a desired twin", () => {
  test("each change is a version; a patch that changes nothing is none", () => {
    const first = patchDesired(NO_DESIRED, { mode: "eco" }, 0);
    expect(first).toEqual({ kind: "patched", next: desiredOf(1, { mode: "eco" }) });
    expect(patchDesired(desiredOf(1, { mode: "eco" }), { mode: "eco", x: null }, 0)).toEqual({ kind: "unchanged" });
  });

  test("a term never falls", () => {
    expect(patchDesired(desiredOf(3, {}, 2), { a: 1 }, 0)).toEqual({ kind: "patched", next: desiredOf(4, { a: 1 }, 2) });
    expect(patchDesired(desiredOf(3, {}, 0), { a: 1 }, 5)).toEqual({ kind: "patched", next: desiredOf(4, { a: 1 }, 5) });
  });

  test("too large and too deep are refused", () => {
    expect(patchDesired(NO_DESIRED, { a: "x".repeat(TWIN_LIMITS.documentLength) }, 0).kind).toBe("misfit");
    expect(patchDesired(NO_DESIRED, JSON.parse(`${'{"a":'.repeat(17)}1${"}".repeat(17)}`) as JsonObject, 0).kind).toBe("misfit");
  });

  const desired = { current: desiredOf(3, { a: 1, c: 3 }), history: [desiredOf(2, { a: 1, b: 2 }), desiredOf(1, { a: 0 })] };

  test("the vehicle gets the difference from the version it has, else the whole", () => {
    const at = (version: number) => desiredMessageFor(desired, { term: 0, version });
    expect(at(2)).toEqual({ term: 0, version: 3, from: { term: 0, version: 2 }, patch: { b: null, c: 3 } });
    expect(at(3)).toEqual({ term: 0, version: 3, from: { term: 0, version: 3 }, patch: {} });
    expect(at(9)).toEqual({ term: 0, version: 3, document: { a: 1, c: 3 } });
    expect(desiredMessageFor(desired, null)).toEqual({ term: 0, version: 3, document: { a: 1, c: 3 } });
  });

  test("a version that two cells gave to different documents is no ground for a difference", () => {
    const twice = { ...desired, history: [...desired.history, desiredOf(2, { other: true })] };
    expect(desiredMessageFor(twice, { term: 0, version: 2 })).toHaveProperty("document");
  });
});
