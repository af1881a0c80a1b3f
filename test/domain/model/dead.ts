import type { CellId } from "#schema/domain/cell.ts";
import { type Holding, takeFeed } from "#schema/domain/cell-move.ts";
import { type FailoverState, laterFailover } from "#schema/domain/failover.ts";
import { isOpen, type Move } from "#schema/domain/move.ts";
import type { CopyOrder, MoveOrder, MoveReport } from "#schema/domain/move-message.ts";
import type { Message } from "./network.ts";
import type { Rules } from "./rules.ts";
import { type Cell, cellOf, failoverOf, peerOf, type World } from "./world.ts";

/** Whether control will never heed this report again: it is about a step, an epoch or a move that is over. */
export const isOldReport = (move: Move | null, from: CellId, report: MoveReport): boolean => {
  if (move === null || !isOpen(move) || move.id !== report.moveId) return true;
  if (report.kind !== "settled") return report.step < move.step;
  const isSource = from === move.source;
  if (move.state === "unlocking") return !isSource || report.step !== move.step;
  if (move.toEpoch === null) return false;
  return report.epoch < move.toEpoch || (isSource ? move.isReleased : move.state === "arriving" && !report.isSeen);
};

/** Whether a cell that holds this will never heed the order again: it has obeyed a later step, or this one, and the order brings no later truth. */
export const isOldOrder = ({ record, mark }: Holding, order: MoveOrder): boolean => {
  if (mark === null || mark.step !== order.step) return mark !== null && mark.step > order.step;
  const isHeld = record?.state === "locked" || record?.state === "copied";
  return order.kind !== "settle" || (!isHeld && order.epoch <= (record?.epoch ?? 0));
};

/** Whether the bundle of a pull is of no use to the target any more. */
export const isOldCopy = ({ mark }: Holding, order: CopyOrder): boolean => (mark?.step ?? 0) >= order.step;

/** Whether the return of this term is over at the owner, or at the standby that handed the vehicle over. */
const isHome = (owner: Cell, term: number): boolean => owner.homeTerm >= term;
const hasLeft = ({ holding, stay }: Cell, term: number): boolean =>
  holding.record?.state !== "guest" || holding.record.isReturned || (stay?.term ?? 0) > term;

/** An account tells nothing when a later one is known. */
export const isOldAccount = (known: FailoverState, told: FailoverState): boolean =>
  laterFailover(known, told) === known && (known.term !== told.term || known.phase !== told.phase);

/** An account that is known answers only a cell that asks. */
const isUseless = (cell: Cell, isOfItself: boolean, told: FailoverState): boolean => {
  const known = isOfItself ? cell.standing.failover : cell.peer;
  const isKnown = known.term === told.term && known.phase === told.phase;
  return isOldAccount(known, told) || (isKnown && !(isOfItself && cell.standing.mode !== "told"));
};

/**
 * Whether nobody will ever heed a message again, because steps, epochs and terms only rise: lemmas.test.ts proves it of the real functions, whatever they
 * hold, and so lets the model forget such a message. A bug in the place of a real function may still heed it.
 */
export const isDead = (world: World, message: Message, rules: Rules): boolean => {
  switch (message.kind) {
    case "report":
      return isOldReport(world.control.move, message.from, message.report);
    case "order":
      return isOldOrder(cellOf(world, message.to).holding, message.order);
    case "pull":
      return isOldCopy(cellOf(world, peerOf(message.to)).holding, message.order);
    case "bundle":
      return isOldCopy(cellOf(world, message.to).holding, message.order);
    case "take_back":
      return isHome(cellOf(world, peerOf(message.to)), message.term);
    case "handed_over":
      return isHome(cellOf(world, message.to), message.term);
    case "taken_back":
      return hasLeft(cellOf(world, message.to), message.term);
    case "feed":
      return rules.takeFeed === takeFeed && (cellOf(world, message.to).holding.record?.epoch ?? 0) >= message.epoch;
    case "account":
      return isUseless(cellOf(world, message.to), message.of === message.to, message.failover);
    case "guests": {
      const { term, phase } = failoverOf(world, peerOf(message.from));
      return message.term < term || phase === "serving";
    }
  }
};
