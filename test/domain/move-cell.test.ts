import { describe, expect, test } from "vitest";
import {
  failCopy,
  grantLock,
  type Holding,
  heldMove,
  keepCopy,
  mayPull,
  see,
  takeCopy,
  takeFeed,
  takeLock,
  takeSettle,
} from "#schema/domain/cell-move.ts";
import { copied, locked, moved, owned } from "./admission-facts.ts";
import { copy, lock, SOURCE, settle, TARGET, THIRD } from "./move-samples.ts";

const QUIET = { disturbance: null, nowMs: 500 };
const owner: Holding = { record: owned(4), mark: null };
const held = grantLock(lock(), "sum").holding;
const pulled = (): Holding => {
  const answer = keepCopy({ record: null, mark: null }, copy(), "sum");
  if (answer.kind !== "obeyed") throw new Error("the copy was refused");
  return answer.holding;
};
/** What a restart leaves: the disk. */
const restarted = (holding: Holding): Holding => JSON.parse(JSON.stringify(holding)) as Holding;

describe("the lock at the source", () => {
  test("a quiet vehicle is locked at once", () => {
    expect(takeLock(owner, lock(), QUIET)).toEqual({ kind: "grant" });
    expect(held.record).toEqual(locked(4));
  });

  test.each(["command", "update", "drive"] as const)("a vehicle in the middle of a %s is waited for, until the deadline", (disturbance) => {
    expect(takeLock(owner, lock(), { disturbance, nowMs: 999 })).toMatchObject({ kind: "waiting", report: { disturbance } });
    expect(takeLock(owner, lock(), { disturbance, nowMs: 1_000 })).toMatchObject({ kind: "refused", report: { reason: "busy" } });
  });

  test("the deadline bounds the wait only: a quiet vehicle is locked after it, and a granted lock outlives it", () => {
    expect(takeLock(owner, lock(), { disturbance: null, nowMs: 5_000 }).kind).toBe("grant");
    expect(takeLock(held, lock(), { disturbance: "drive", nowMs: 1e15 })).toMatchObject({ kind: "obeyed", report: { kind: "locked" } });
  });

  test("the same order after a restart gets the same answer, whatever the vehicle does meanwhile", () => {
    const answer = takeLock(restarted(held), lock(), { disturbance: "drive", nowMs: 5_000 });
    expect(answer).toEqual({ kind: "obeyed", holding: held, report: { kind: "locked", moveId: "m1", step: 2, checksum: "sum" } });
  });

  test("I2: a cell that is behind waits for its feed; one that is ahead, or no owner, refuses", () => {
    expect(takeLock({ record: owned(3), mark: null }, lock(), QUIET).kind).toBe("waiting");
    expect(takeLock({ record: owned(5), mark: null }, lock(), QUIET)).toMatchObject({ report: { reason: "not_owner" } });
    expect(takeLock({ record: moved(4), mark: null }, lock(), QUIET)).toMatchObject({ report: { reason: "not_owner" } });
  });

  test("a late order of a move that was settled here locks nothing", () => {
    const unlocked = takeSettle(SOURCE, held, settle({ role: "source", owner: SOURCE, epoch: 4 }));
    if (unlocked === null) throw new Error("the settlement was not taken");
    expect(takeLock(unlocked.holding, lock(), QUIET)).toMatchObject({ kind: "refused", report: { reason: "stale_step", heldStep: 4 } });
  });

  test("the vehicle is handed to the target of the move only, and only while the lock holds", () => {
    expect(mayPull(held, "m1", TARGET)).toBe(true);
    expect(mayPull(held, "m2", TARGET)).toBe(false);
    expect(mayPull(held, "m1", THIRD)).toBe(false);
    expect(mayPull(owner, "m1", TARGET)).toBe(false);
  });
});

describe("the copy at the target", () => {
  test("is pulled once, and reported again after a restart", () => {
    expect(takeCopy({ record: null, mark: null }, copy())).toEqual({ kind: "pull" });
    expect(takeCopy(restarted(pulled()), copy())).toMatchObject({ kind: "obeyed", report: { kind: "copied", checksum: "sum" } });
    expect(pulled().record).toEqual(copied(4));
  });

  test("one that comes after the move was given up is refused", () => {
    const settled = takeSettle(TARGET, { record: null, mark: null }, settle({ owner: SOURCE, epoch: 4 }));
    if (settled === null) throw new Error("the settlement was not taken");
    expect(keepCopy(settled.holding, copy(), "sum")).toMatchObject({ kind: "refused", report: { reason: "stale_step" } });
  });

  test("is refused by a cell that knows better, or has a guest of its own to give back", () => {
    expect(takeCopy({ record: owned(4), mark: null }, copy()).kind).toBe("refused");
    expect(takeCopy({ record: moved(5), mark: null }, copy()).kind).toBe("refused");
    const guest = { state: "guest", epoch: 4, owner: SOURCE, isReturned: false } as const;
    expect(takeCopy({ record: guest, mark: null }, copy()).kind).toBe("refused");
    expect(takeCopy({ record: { ...guest, isReturned: true }, mark: null }, copy()).kind).toBe("pull");
    expect(failCopy(owner, copy()).report).toMatchObject({ kind: "refused", reason: "copy_failed", step: 3 });
  });
});

describe("the settlement", () => {
  test("abort: the source is as it was, and the target knows whose the vehicle is", () => {
    const back = settle({ role: "source", peer: TARGET, owner: SOURCE, epoch: 4 });
    expect(takeSettle(SOURCE, held, back)?.holding.record).toEqual(owner.record);
    expect(takeSettle(TARGET, pulled(), { ...back, role: "target", peer: SOURCE })?.holding.record).toEqual(moved(4, SOURCE));
  });

  test("switch: the target owns, the source says where it went", () => {
    expect(takeSettle(TARGET, pulled(), settle())).toMatchObject({ holding: { record: owned(5) }, report: { epoch: 5, isSeen: false } });
    expect(takeSettle(SOURCE, held, settle({ role: "source" }))?.holding.record).toEqual(moved(5, TARGET));
  });

  test("an earlier step changes nothing; the same one is confirmed again", () => {
    const once = takeSettle(TARGET, pulled(), settle());
    if (once === null) throw new Error("the settlement was not taken");
    expect(takeSettle(TARGET, once.holding, settle())).toEqual({ ...once, holding: once.holding });
    expect(takeSettle(TARGET, once.holding, settle({ step: 3, owner: SOURCE, epoch: 9 }))).toBeNull();
  });

  test("a lock that control has forgotten ends by the truth that it answers", () => {
    const answer = takeSettle(SOURCE, held, settle({ step: 2, role: "source", owner: SOURCE, epoch: 4 }));
    expect(answer?.holding.record).toEqual(owned(4));
    expect(heldMove(held)).toEqual({ moveId: "m1", step: 2 });
    expect(heldMove(owner)).toBeNull();
  });

  test("an epoch that was raised under the lock stays", () => {
    const raised = { ...held, record: locked(6) };
    expect(takeSettle(SOURCE, raised, settle({ role: "source", owner: SOURCE, epoch: 5 }))?.holding.record).toEqual(owned(6));
  });
});

describe("the feed", () => {
  test("a lock outlives the news that its target is the owner, and a new epoch of its own; not the news of a third cell", () => {
    expect(takeFeed(SOURCE, held, { cell: TARGET, epoch: 5 })).toEqual(locked(4));
    expect(takeFeed(SOURCE, held, { cell: SOURCE, epoch: 5 })).toEqual(locked(5));
    expect(takeFeed(SOURCE, held, { cell: THIRD, epoch: 5 })).toEqual(moved(5, THIRD));
  });

  test("a guest whose owner has a new epoch stays a guest: what it wrote here has still to return", () => {
    const guest = { state: "guest", epoch: 4, owner: THIRD, isReturned: false } as const;
    const holding = { record: guest, mark: null };
    expect(takeFeed(SOURCE, holding, { cell: THIRD, epoch: 5 })).toEqual({ ...guest, epoch: 5 });
    expect(takeSettle(SOURCE, holding, settle({ role: "source", owner: THIRD }))?.holding.record).toEqual({ ...guest, epoch: 5 });
    expect(takeFeed(SOURCE, holding, { cell: TARGET, epoch: 5 })).toEqual(moved(5, TARGET));
  });

  test("makes a copy the vehicle, and ignores what is not newer", () => {
    expect(takeFeed(TARGET, pulled(), { cell: TARGET, epoch: 5 })).toEqual(owned(5));
    expect(takeFeed(TARGET, pulled(), { cell: SOURCE, epoch: 4 })).toEqual(copied(4));
    expect(takeFeed(TARGET, { record: null, mark: null }, { cell: TARGET, epoch: 1 })).toEqual(owned(1));
  });
});

test("the vehicle is reported as seen once, by the target, when it owns it", () => {
  expect(see(owner)).toBeNull();
  expect(see(pulled())).toBeNull();
  const arrived = { ...pulled(), record: owned(5) };
  const seen = see(arrived);
  expect(seen?.report).toEqual({ kind: "settled", moveId: "m1", step: 3, epoch: 5, isSeen: true });
  expect(seen === null ? null : see(seen.holding)).toBeNull();
});
