import type { CellId } from "./cell.ts";

/** Why a vehicle may not be locked right now (design §5: not in the middle of a command, an update or a drive). */
export const DISTURBANCES = ["command", "update", "drive"] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

/** Names one step of one move. Steps of a vehicle rise over all its moves, so that a cell knows a late message from a new one. */
export type StepRef = { readonly moveId: string; readonly step: number };

/** What a cell is to a move. */
export type MoveRole = "source" | "target";

/** To whom an order is given: its role in the move, and the cell on the other side. */
type Addressed = StepRef & { readonly role: MoveRole; readonly peer: CellId };

/**
 * Control to source: hold the vehicle still at this epoch. `deadlineAt` (ms since the epoch) bounds the wait for it to be quiet, never the lock.
 */
export type LockOrder = Addressed & { readonly kind: "lock"; readonly epoch: number; readonly deadlineAt: number };

/** Control to target: pull the vehicle from the source, which holds it still at this epoch. */
export type CopyOrder = Addressed & { readonly kind: "copy"; readonly epoch: number };

/** Control to either: the truth of this vehicle. It ends a lock and decides over a copy; sent again until it is confirmed, and to every cell that asks. */
export type SettleOrder = Addressed & { readonly kind: "settle"; readonly epoch: number; readonly owner: CellId };

export type MoveOrder = LockOrder | CopyOrder | SettleOrder;

export const ORDER_REFUSALS = ["busy", "not_owner", "stale_step", "copy_failed"] as const;
export type OrderRefusal = (typeof ORDER_REFUSALS)[number];

/** Cell to control: what became of an order. Each names the step that it answers and may be repeated at will. */
export type MoveReport =
  | (StepRef & { readonly kind: "waiting"; readonly disturbance: Disturbance | null })
  | (StepRef & { readonly kind: "locked"; readonly checksum: string })
  /** `heldStep` is the highest step that the cell has obeyed for this vehicle. */
  | (StepRef & { readonly kind: "refused"; readonly reason: OrderRefusal; readonly heldStep: number })
  | (StepRef & { readonly kind: "copied"; readonly checksum: string })
  /** The cell's record is the truth of `epoch`, on disk. `isSeen`: the vehicle has been admitted here since the move. */
  | (StepRef & { readonly kind: "settled"; readonly epoch: number; readonly isSeen: boolean });
