import fc from "fast-check";
import type { VehicleRecord } from "#schema/domain/admission.ts";
import type { Holding, MoveMark } from "#schema/domain/cell-move.ts";
import { advance, type Move, type MoveEvent, planMove } from "#schema/domain/move.ts";
import type { CopyOrder, LockOrder, MoveOrder, MoveReport, SettleOrder } from "#schema/domain/move-message.ts";
import { cell } from "./samples.ts";

export const SOURCE = cell("cell-source");
export const TARGET = cell("cell-target");
export const THIRD = cell("cell-third");

export const planned: Move = planMove({ id: "m1", source: SOURCE, target: TARGET, fromEpoch: 4, lastStep: 0 });
export const moveIn = (more: Partial<Move>): Move => ({ ...planned, ...more });

const toSource = { moveId: "m1", step: 2, role: "source", peer: TARGET } as const;
const toTarget = { moveId: "m1", step: 3, role: "target", peer: SOURCE } as const;
export const lock = (more: Partial<LockOrder> = {}): LockOrder => ({ ...toSource, kind: "lock", epoch: 4, deadlineAt: 1_000, ...more });
export const copy = (more: Partial<CopyOrder> = {}): CopyOrder => ({ ...toTarget, kind: "copy", epoch: 4, ...more });
export const settle = (more: Partial<SettleOrder> = {}): SettleOrder => ({
  ...toTarget,
  kind: "settle",
  step: 4,
  epoch: 5,
  owner: TARGET,
  ...more,
});

const anyCell = fc.constantFrom(SOURCE, TARGET, THIRD);
const anyEpoch = fc.integer({ min: 1, max: 6 });
const anyStep = fc.integer({ min: 1, max: 8 });
const anyMoveId = fc.constantFrom("m1", "m2");
const anyChecksum = fc.constantFrom("sum 1", "sum 2");
const anyRef = { moveId: anyMoveId, step: anyStep };
const anyAddress = { ...anyRef, role: fc.constantFrom("source" as const, "target" as const), peer: anyCell };

export const anyRecord: fc.Arbitrary<VehicleRecord | null> = fc.oneof(
  fc.constant(null),
  fc.record({ state: fc.constantFrom("owned" as const, "locked" as const, "copied" as const), epoch: anyEpoch }),
  fc.record({ state: fc.constant("moved" as const), epoch: anyEpoch, movedTo: anyCell }),
  fc.record({ state: fc.constant("guest" as const), epoch: anyEpoch, owner: anyCell, isReturned: fc.boolean() }),
);

const anyMark: fc.Arbitrary<MoveMark> = fc.record({ ...anyAddress, checksum: fc.option(anyChecksum), isSeen: fc.boolean() });
export const anyHolding: fc.Arbitrary<Holding> = fc.record({ record: anyRecord, mark: fc.option(anyMark) });

export const anyLock: fc.Arbitrary<LockOrder> = fc.record({
  ...anyAddress,
  kind: fc.constant("lock" as const),
  epoch: anyEpoch,
  deadlineAt: fc.constant(1_000),
});
export const anyCopy: fc.Arbitrary<CopyOrder> = fc.record({ ...anyAddress, kind: fc.constant("copy" as const), epoch: anyEpoch });
export const anySettle: fc.Arbitrary<SettleOrder> = fc.record({
  ...anyAddress,
  kind: fc.constant("settle" as const),
  epoch: anyEpoch,
  owner: anyCell,
});
export const anyOrder: fc.Arbitrary<MoveOrder> = fc.oneof(anyLock, anyCopy, anySettle);

export const anyReport: fc.Arbitrary<MoveReport> = fc.oneof(
  fc.record({ ...anyRef, kind: fc.constant("locked" as const), checksum: anyChecksum }),
  fc.record({
    ...anyRef,
    kind: fc.constant("refused" as const),
    reason: fc.constantFrom("busy" as const, "stale_step" as const),
    heldStep: anyStep,
  }),
  fc.record({ ...anyRef, kind: fc.constant("copied" as const), checksum: anyChecksum }),
  fc.record({ ...anyRef, kind: fc.constant("settled" as const), epoch: anyEpoch, isSeen: fc.boolean() }),
);

export const anyEvent: fc.Arbitrary<MoveEvent> = fc.oneof(
  fc.constant<MoveEvent>({ kind: "started", deadlineAt: 1_000 }),
  fc.constant<MoveEvent>({ kind: "locked", checksum: "sum 1" }),
  fc.constant<MoveEvent>({ kind: "committed", epoch: 5 }),
  fc.constantFrom<MoveEvent>({ kind: "stored" }, { kind: "seen" }, { kind: "released" }),
  fc.constant<MoveEvent>({ kind: "failed", reason: "operator" }),
);

/** Any move that events can lead to, from any step on. */
export const anyMove: fc.Arbitrary<Move> = fc
  .record({ lastStep: fc.integer({ min: 0, max: 3 }), events: fc.array(anyEvent, { maxLength: 12 }) })
  .map(({ lastStep, events }) => {
    const start = planMove({ id: "m1", source: SOURCE, target: TARGET, fromEpoch: 4, lastStep });
    return events.reduce((move, event) => advance(move, event) ?? move, start);
  });
