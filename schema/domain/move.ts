import type { CellId } from "./cell.ts";
import type { MoveOrder, MoveReport, MoveRole, OrderRefusal } from "./move-message.ts";

export const MOVE_STATES = ["planned", "locking", "copying", "switching", "arriving", "unlocking", "done", "aborted"] as const;
export type MoveState = (typeof MOVE_STATES)[number];

/** Why a move was given up: what a cell refused, what control saw, or an operator's word. */
export const MOVE_FAILURES = [
  ...(["busy", "not_owner", "stale_step", "copy_failed"] as const satisfies readonly OrderRefusal[]),
  ...(["checksum_mismatch", "switch_refused", "deadline", "source_lost", "target_lost", "operator"] as const),
] as const;
export type MoveFailure = (typeof MOVE_FAILURES)[number];

/** One vehicle's change of cell, as control keeps it. Epochs and `step` only rise; `deadlineAt` is ms since the epoch. */
export type Move = {
  readonly id: string;
  readonly source: CellId;
  readonly target: CellId;
  readonly state: MoveState;
  /** Raised with every change of state; starts above the last step of the vehicle's earlier moves. */
  readonly step: number;
  readonly fromEpoch: number;
  /** The epoch that the switch committed; null before. */
  readonly toEpoch: number | null;
  /** What the source computed over the locked vehicle. */
  readonly checksum: string | null;
  readonly deadlineAt: number | null;
  /** Whether the source has said that its lock is off. */
  readonly isReleased: boolean;
  readonly failure: MoveFailure | null;
};

export const MOVE_EVENTS = ["started", "locked", "committed", "stored", "seen", "released", "failed"] as const;
export type MoveEvent =
  | { readonly kind: "started"; readonly deadlineAt: number }
  | { readonly kind: "locked"; readonly checksum: string }
  /** Control's transaction has made the target the owner at this epoch. */
  | { readonly kind: "committed"; readonly epoch: number }
  | { readonly kind: "stored" | "seen" | "released" }
  | { readonly kind: "failed"; readonly reason: MoveFailure; readonly heldStep?: number };

/** Design §5. Before the switch commits every failure leads back through `unlocking`; after it there is only forward. */
const TRANSITIONS: Readonly<Record<MoveState, Partial<Record<MoveEvent["kind"], MoveState>>>> = {
  planned: { started: "locking", failed: "aborted" },
  locking: { locked: "copying", failed: "unlocking" },
  copying: { committed: "switching", failed: "unlocking" },
  switching: { stored: "arriving", seen: "done" },
  arriving: { released: "arriving", seen: "done" },
  unlocking: { released: "aborted" },
  done: {},
  aborted: {},
};

/** What an event adds to the move beside its state. */
const changesOf = (event: MoveEvent): Partial<Move> => {
  switch (event.kind) {
    case "started":
      return { deadlineAt: event.deadlineAt };
    case "locked":
      return { checksum: event.checksum };
    case "committed":
      return { toEpoch: event.epoch };
    case "released":
      return { isReleased: true };
    case "failed":
      return { failure: event.reason };
    default:
      return {};
  }
};

/** The move after an event, one step on when its state changes; null when the table does not allow it: late, repeated, or too late to turn back. */
export const advance = (move: Move, event: MoveEvent): Move | null => {
  const state = TRANSITIONS[move.state][event.kind];
  if (state === undefined || (event.kind === "released" && move.isReleased)) return null;
  const heldStep = event.kind === "failed" ? (event.heldStep ?? 0) : 0;
  const step = state === move.state ? move.step : Math.max(move.step, heldStep) + 1;
  return { ...move, ...changesOf(event), state, step };
};

/** A move that nobody has begun. `lastStep` is the highest step of the vehicle's earlier moves, 0 for none. */
export const planMove = (plan: Pick<Move, "id" | "source" | "target" | "fromEpoch"> & { readonly lastStep: number }): Move => {
  const { lastStep, ...parties } = plan;
  return {
    ...parties,
    state: "planned",
    step: lastStep + 1,
    toEpoch: null,
    checksum: null,
    deadlineAt: null,
    isReleased: false,
    failure: null,
  };
};

/** Whether the move still wants something of somebody. */
export const isOpen = (move: Move): boolean => move.state !== "done" && move.state !== "aborted";

/** The assignment as libSQL has it at this moment. */
export type Truth = { readonly cell: CellId; readonly epoch: number };

/** Whether the switch may commit: the source still owns the vehicle at the epoch at which it was locked. Guards of room, zone and health come on top. */
export const maySwitch = (move: Move, truth: Truth): boolean =>
  move.state === "copying" && truth.cell === move.source && truth.epoch === move.fromEpoch;

type Duty = { readonly [role in MoveRole]: MoveOrder["kind"] | null } & { readonly waitsFor: MoveRole | "control" | "vehicle" | "nobody" };

/** What each party owes the move in each state. A closed move answers a cell that still holds something of it with the truth. */
const DUTIES: Readonly<Record<MoveState, Duty>> = {
  planned: { source: null, target: null, waitsFor: "control" },
  locking: { source: "lock", target: null, waitsFor: "source" },
  copying: { source: null, target: "copy", waitsFor: "target" },
  switching: { source: null, target: "settle", waitsFor: "target" },
  arriving: { source: "settle", target: "settle", waitsFor: "vehicle" },
  unlocking: { source: "settle", target: "settle", waitsFor: "source" },
  done: { source: "settle", target: "settle", waitsFor: "nobody" },
  aborted: { source: "settle", target: "settle", waitsFor: "nobody" },
};

const roleOf = (move: Move, cell: CellId): MoveRole | null => (cell === move.source ? "source" : cell === move.target ? "target" : null);

/** Who moves next; a straggler is a move that has waited for the same party for long. */
export const waitsFor = (move: Move): Duty["waitsFor"] => DUTIES[move.state].waitsFor;

/**
 * The next action of a cell, or null when it has none. It depends on nothing but the move and the truth: asking again after any crash gives the same order,
 * and the cell that obeyed it before answers the same again.
 */
export const orderFor = (move: Move, cell: CellId, truth: Truth): MoveOrder | null => {
  const role = roleOf(move, cell);
  if (role === null) return null;
  const address = { moveId: move.id, step: move.step, role, peer: role === "source" ? move.target : move.source };
  const kind = DUTIES[move.state][role];
  switch (kind) {
    case null:
      return null;
    case "lock":
      return { kind, ...address, epoch: move.fromEpoch, deadlineAt: move.deadlineAt ?? 0 };
    case "copy":
      return { kind, ...address, epoch: move.fromEpoch };
    case "settle":
      return { kind, ...address, epoch: truth.epoch, owner: truth.cell };
  }
};

/** What control does about a report. `commit`: write the new owner if `maySwitch`, and advance in the same transaction; else fail with `switch_refused`. */
export type Reaction = { readonly kind: "ignore" } | { readonly kind: "advance"; readonly event: MoveEvent } | { readonly kind: "commit" };

const IGNORE: Reaction = { kind: "ignore" };
const go = (event: MoveEvent): Reaction => ({ kind: "advance", event });

/** The target confirms by epoch, not by step: a ticket may have told it of the switch before control's order came. */
const onSettled = (move: Move, role: MoveRole, report: Extract<MoveReport, { kind: "settled" }>): Reaction => {
  if (move.state === "unlocking") return role === "source" && report.step === move.step ? go({ kind: "released" }) : IGNORE;
  if (move.toEpoch === null || report.epoch < move.toEpoch) return IGNORE;
  if (role === "source") return move.state === "arriving" && !move.isReleased ? go({ kind: "released" }) : IGNORE;
  if (report.isSeen) return go({ kind: "seen" });
  return move.state === "switching" ? go({ kind: "stored" }) : IGNORE;
};

/** Reads a cell's report: of this move, by one of its parties, about the step that is being waited for; all else is late and ignored. */
export const react = (move: Move, from: CellId, report: MoveReport): Reaction => {
  const role = roleOf(move, from);
  if (report.moveId !== move.id || role === null || !isOpen(move)) return IGNORE;
  if (report.kind === "settled") return onSettled(move, role, report);
  const owed = DUTIES[move.state][role];
  if (report.step !== move.step || waitsFor(move) !== role || (owed !== "lock" && owed !== "copy")) return IGNORE;
  switch (report.kind) {
    case "waiting":
      return IGNORE;
    case "refused":
      return go({ kind: "failed", reason: report.reason, heldStep: report.heldStep });
    case "locked":
      return owed === "lock" ? go({ kind: "locked", checksum: report.checksum }) : IGNORE;
    case "copied":
      if (owed !== "copy") return IGNORE;
      return report.checksum === move.checksum ? { kind: "commit" } : go({ kind: "failed", reason: "checksum_mismatch" });
  }
};
