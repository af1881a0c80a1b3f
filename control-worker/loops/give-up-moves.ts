import { advance, type MoveFailure } from "#schema/domain/move.ts";
import { listRevoked } from "../store/campaigns.ts";
import { advanceMoves, type Transition } from "../store/move-writes.ts";
import { type Forlorn, listForlorn, type MoveRow, toMove } from "../store/moves.ts";
import type { LoopDeps } from "./port.ts";

const AT_ONCE = 1_000;
/** A vehicle is out of reach while it is copied: a copy that takes longer is given up. */
const COPY_TIMEOUT_MS = 30_000;
/** The source itself answers at the deadline; control waits somewhat longer for that. */
const DEADLINE_GRACE_MS = 15_000;

const reasonOf = ({ isSourceDown, isTargetDown }: Forlorn): MoveFailure => {
  if (isSourceDown) return "source_lost";
  return isTargetDown ? "target_lost" : "deadline";
};

const failing = (row: MoveRow, reason: MoveFailure): Transition[] => {
  const before = toMove(row);
  const after = advance(before, { kind: "failed", reason });
  return after === null ? [] : [{ before, after }];
};

/** Gives up the moves that nobody wants any more, or that count on a cell that is gone; after the switch there is nothing to give up. */
export const giveUpMoves = async ({ database, write, clock }: LoopDeps): Promise<void> => {
  const now = clock();
  const revoked = await listRevoked(database, AT_ONCE);
  const forlorn = await listForlorn(database, now - COPY_TIMEOUT_MS, now - DEADLINE_GRACE_MS, AT_ONCE);
  const known = new Set(revoked.map(({ id }) => id));
  const transitions = [
    ...revoked.flatMap((row) => failing(row, "operator")),
    ...forlorn.filter(({ row }) => !known.has(row.id)).flatMap((fact) => failing(fact.row, reasonOf(fact))),
  ];
  if (transitions.length > 0) await write([advanceMoves(transitions, now)]);
};
