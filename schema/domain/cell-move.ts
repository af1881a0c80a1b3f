import type { VehicleRecord } from "./admission.ts";
import type { CellId } from "./cell.ts";
import type {
  CopyOrder,
  Disturbance,
  LockOrder,
  MoveOrder,
  MoveReport,
  MoveRole,
  OrderRefusal,
  SettleOrder,
  StepRef,
} from "./move-message.ts";

/** What a cell keeps on disk, beside a vehicle's record, of the last move that it was told of. */
export type MoveMark = StepRef & {
  readonly role: MoveRole;
  readonly peer: CellId;
  /** Over the locked vehicle at the source, over what was stored at the target. */
  readonly checksum: string | null;
  /** Whether the vehicle has been admitted by the target since. */
  readonly isSeen: boolean;
};

/** One vehicle as a cell holds it. Record and mark change in one transaction, before anything is answered. */
export type Holding = { readonly record: VehicleRecord | null; readonly mark: MoveMark | null };

/** An order that changed nothing has the same `holding`. */
export type Obeyed = { readonly kind: "obeyed"; readonly holding: Holding; readonly report: MoveReport };
type Refused = { readonly kind: "refused"; readonly report: MoveReport };
type Waiting = { readonly kind: "waiting"; readonly report: MoveReport };

const stepOf = ({ moveId, step }: StepRef): StepRef => ({ moveId, step });
const markOf = ({ moveId, step, role, peer }: MoveOrder, checksum: string | null): MoveMark => ({
  moveId,
  step,
  role,
  peer,
  checksum,
  isSeen: false,
});
const heldStepOf = ({ mark }: Holding): number => mark?.step ?? 0;

const refuse = (holding: Holding, order: StepRef, reason: OrderRefusal): Refused => ({
  kind: "refused",
  report: { ...stepOf(order), kind: "refused", reason, heldStep: heldStepOf(holding) },
});

const wait = (order: StepRef, disturbance: Disturbance | null): Waiting => ({
  kind: "waiting",
  report: { ...stepOf(order), kind: "waiting", disturbance },
});

/** The same answer as before to the order that this mark has obeyed. */
const repeat = (holding: Holding, order: LockOrder | CopyOrder, kind: "locked" | "copied"): Obeyed | null => {
  const { record, mark } = holding;
  if (record?.state !== (kind === "locked" ? "locked" : "copied") || mark?.moveId !== order.moveId || mark.checksum === null) return null;
  return { kind: "obeyed", holding, report: { ...stepOf(order), kind, checksum: mark.checksum } };
};

export type LockFacts = { readonly disturbance: Disturbance | null; readonly nowMs: number };

/**
 * The source's answer to a lock order. `grant`: hold the vehicle still (nothing is admitted, acknowledged or delivered any more), then `grantLock`.
 * A cell that has not yet heard of the order's epoch waits for its feed; the deadline ends only the wait for a quiet vehicle.
 */
export const takeLock = (holding: Holding, order: LockOrder, facts: LockFacts): Obeyed | Refused | Waiting | { readonly kind: "grant" } => {
  const repeated = repeat(holding, order, "locked");
  if (repeated !== null) return repeated;
  const { record } = holding;
  if (order.step <= heldStepOf(holding)) return refuse(holding, order, "stale_step");
  const isBehind = (record?.epoch ?? 0) < order.epoch;
  if (!isBehind && (record?.state !== "owned" || record.epoch !== order.epoch)) return refuse(holding, order, "not_owner");
  if (!isBehind && facts.disturbance === null) return { kind: "grant" };
  return facts.nowMs < order.deadlineAt ? wait(order, facts.disturbance) : refuse(holding, order, "busy");
};

/** The lock, once the vehicle is still and its checksum computed. It holds until `takeSettle`, `takeFeed` or a ticket ends it; no clock does. */
export const grantLock = (order: LockOrder, checksum: string): Obeyed => ({
  kind: "obeyed",
  holding: {
    record: { state: "locked", epoch: order.epoch },
    mark: markOf(order, checksum),
  },
  report: { ...stepOf(order), kind: "locked", checksum },
});

/** Whether the source hands out the vehicle: to the target of the move, while the lock for that move holds. */
export const mayPull = ({ record, mark }: Holding, moveId: string, by: CellId): boolean =>
  record?.state === "locked" && mark?.role === "source" && mark.moveId === moveId && mark.peer === by;

/** The target's answer to a copy order. `pull`: fetch the vehicle from the source, store it, then `keepCopy`. */
export const takeCopy = (holding: Holding, order: CopyOrder): Obeyed | Refused | { readonly kind: "pull" } => {
  const repeated = repeat(holding, order, "copied");
  if (repeated !== null) return repeated;
  const { record } = holding;
  if (order.step <= heldStepOf(holding)) return refuse(holding, order, "stale_step");
  const isNewerHere = record !== null && (record.epoch > order.epoch || (record.epoch === order.epoch && record.state === "owned"));
  const isStillGuest = record?.state === "guest" && !record.isReturned;
  return isNewerHere || isStillGuest ? refuse(holding, order, "copy_failed") : { kind: "pull" };
};

/** The copy, in the transaction that stores it; what else came while it was pulled decides again, so a late copy is refused. */
export const keepCopy = (holding: Holding, order: CopyOrder, checksum: string): Obeyed | Refused => {
  const answer = takeCopy(holding, order);
  if (answer.kind !== "pull") return answer;
  return {
    kind: "obeyed",
    holding: {
      record: { state: "copied", epoch: order.epoch },
      mark: markOf(order, checksum),
    },
    report: { ...stepOf(order), kind: "copied", checksum },
  };
};

/** The pull did not succeed: the source refuses it, or what came is unreadable. */
export const failCopy = (holding: Holding, order: CopyOrder): Refused => refuse(holding, order, "copy_failed");

type Told = { readonly cell: CellId; readonly epoch: number };

/** News that the owner of a guest has a new epoch leaves it a guest: what it wrote here has still to return. */
const recordOf = (self: CellId, { cell, epoch }: Told, record: VehicleRecord | null): VehicleRecord => {
  if (record?.state === "guest" && record.owner === cell) return { ...record, epoch };
  return cell === self ? { state: "owned", epoch } : { state: "moved", epoch, movedTo: cell };
};

/** Control's word on a vehicle that is in a move here: the lock is off, or the copy is the vehicle, or is nothing. */
const settleRecord = (self: CellId, record: VehicleRecord | null, told: Told): VehicleRecord | null => {
  if (record === null) return null;
  if (record.state === "locked" && told.cell === self) return { state: "owned", epoch: Math.max(record.epoch, told.epoch) };
  const isNews = told.epoch > record.epoch || (record.state === "copied" && told.epoch === record.epoch);
  return isNews ? recordOf(self, told, record) : record;
};

/**
 * Either party's answer to control's truth, null when the order is late. Steps rise over all moves of a vehicle: a later order settles an earlier move too,
 * and an earlier one can no longer lock or copy.
 */
export const takeSettle = (self: CellId, holding: Holding, order: SettleOrder): Obeyed | null => {
  if (order.step < heldStepOf(holding)) return null;
  const record = settleRecord(self, holding.record, { cell: order.owner, epoch: order.epoch });
  const { mark } = holding;
  const next: MoveMark = mark?.moveId === order.moveId ? { ...mark, step: order.step } : markOf(order, null);
  const isSame = record === holding.record && mark?.moveId === next.moveId && mark.step === next.step;
  return {
    kind: "obeyed",
    holding: isSame ? holding : { record, mark: next },
    report: { ...stepOf(order), kind: "settled", epoch: record?.epoch ?? order.epoch, isSeen: next.isSeen && record?.state === "owned" },
  };
};

/**
 * The target has admitted the vehicle as its owner: the report that lets control call the move done, or null when there is none to give. The gateway asks
 * after each admission. `holding` is kept only when a sync that carried the report has been answered: one that was lost in a crash is given again when the
 * vehicle comes again, which it must, since the crash took its connection.
 */
export const see = ({ record, mark }: Holding): Obeyed | null => {
  if (record?.state !== "owned" || mark?.role !== "target" || mark.isSeen) return null;
  const { epoch } = record;
  return {
    kind: "obeyed",
    holding: { record, mark: { ...mark, isSeen: true } },
    report: { ...stepOf(mark), kind: "settled", epoch, isSeen: true },
  };
};

/**
 * The record after one line of the assignment feed. Only a newer epoch changes anything. A lock outlives the news that its own target is the owner, so that
 * the vehicle is sent there only once the target has stored it; the settle order, or a ticket, ends it.
 */
export const takeFeed = (self: CellId, { record, mark }: Holding, told: Told): VehicleRecord => {
  if (record === null) return recordOf(self, told, record);
  if (told.epoch <= record.epoch) return record;
  if (record.state === "locked" && told.cell === self) return { state: "locked", epoch: told.epoch };
  if (record.state === "locked" && told.cell === mark?.peer) return record;
  return recordOf(self, told, record);
};

/** What a cell asks control about with each sync: a vehicle that is still held for a move. Control answers with the order of that move, or with the truth. */
export const heldMove = ({ record, mark }: Holding): StepRef | null =>
  mark !== null && (record?.state === "locked" || record?.state === "copied") ? stepOf(mark) : null;
