import { type CellHealth, type CellId, type CellState, takesTraffic } from "./cell.ts";
import type { FailoverState } from "./failover.ts";

/** A cell as failover sees it. */
export type FailoverCell = {
  readonly id: CellId;
  readonly zone: string | null;
  readonly state: CellState;
  readonly health: CellHealth;
  readonly failover: FailoverState;
};

/** `automatic`: control decides. `held`: an operator's call decides. `forbidden`: refuses that too. */
export const FAILOVER_POLICIES = ["automatic", "held", "forbidden"] as const;
export type FailoverPolicy = (typeof FAILOVER_POLICIES)[number];

export type FailoverFacts = {
  readonly cell: FailoverCell;
  /** The cell's standby; null when it has none. */
  readonly standby: FailoverCell | null;
  readonly policy: FailoverPolicy;
  /** Whether an operator has just called for it: overrides health and hold, never zone and fitness. */
  readonly isForced: boolean;
  /** Whether control is still gathering the cells' tables after a restore (design §4.8). */
  readonly isRecovering: boolean;
  /** How many cells there are, and when each that went down lately did so, this one included; ms since the epoch. */
  readonly cells: number;
  readonly wentDownAt: readonly number[];
  readonly nowMs: number;
};

export const HOLD_WINDOW_MS = 600_000;
export const HOLD_SHARE = 0.1;

export type FailoverDecision =
  | { readonly kind: "declare"; readonly standby: CellId }
  /** A person is asked: an alert says why. */
  | { readonly kind: "hold"; readonly reason: HoldReason }
  | { readonly kind: "none"; readonly reason: NoFailoverReason };
type HoldReason = "too_many_down" | "operator" | "recovering" | "no_standby" | "standby_in_other_zone" | "standby_unfit";
type NoFailoverReason = "forbidden" | "already_failed_over" | "not_down";

/** Losing more than one cell, in a large fleet more than a tenth of them, looks more like a fault of the observer than of the cells (I13). */
const isTooManyDown = ({ cells, wentDownAt, nowMs }: FailoverFacts): boolean =>
  wentDownAt.filter((at) => nowMs - at < HOLD_WINDOW_MS).length > Math.max(1, HOLD_SHARE * cells);

const isFit = (standby: FailoverCell): boolean =>
  takesTraffic(standby.state) && standby.health === "healthy" && standby.failover.phase === "serving";

/** A return that is under way can only be taken over by the standby that still has some of the vehicles. */
const isBoundElsewhere = ({ cell, standby }: FailoverFacts): boolean =>
  cell.failover.phase === "returning" && standby?.id !== cell.failover.standby;

type Row = { readonly answer: FailoverDecision; readonly fits: (facts: FailoverFacts) => boolean };

const none = (reason: NoFailoverReason): FailoverDecision => ({ kind: "none", reason });
const hold = (reason: HoldReason): FailoverDecision => ({ kind: "hold", reason });

/** The first row that fits wins; a cell that none of them fits is failed over. */
const ROWS: readonly Row[] = [
  { answer: none("already_failed_over"), fits: ({ cell }) => cell.failover.phase === "failed_over" },
  { answer: none("forbidden"), fits: ({ policy }) => policy === "forbidden" },
  { answer: none("not_down"), fits: ({ cell, isForced }) => cell.health !== "down" && !isForced },
  { answer: hold("recovering"), fits: ({ isRecovering }) => isRecovering },
  { answer: hold("no_standby"), fits: ({ standby }) => standby === null },
  // I12: data of the vehicles never leaves their zone, whoever asks for it.
  { answer: hold("standby_in_other_zone"), fits: ({ cell, standby }) => standby?.zone !== cell.zone },
  { answer: hold("standby_unfit"), fits: (facts) => (facts.standby !== null && !isFit(facts.standby)) || isBoundElsewhere(facts) },
  { answer: hold("operator"), fits: ({ policy, isForced }) => policy === "held" && !isForced },
  { answer: hold("too_many_down"), fits: (facts) => !facts.isForced && isTooManyDown(facts) },
];

/** Whether a cell is given up to its standby now (design §5), for control to write with `advanceFailover` in one transaction. */
export const decideFailover = (facts: FailoverFacts): FailoverDecision => {
  const answer = ROWS.find(({ fits }) => fits(facts))?.answer;
  if (answer !== undefined) return answer;
  return facts.standby === null ? hold("no_standby") : { kind: "declare", standby: facts.standby.id };
};

export type ReturnFacts = {
  readonly cell: FailoverCell;
  readonly isForced: boolean;
  readonly policy: FailoverPolicy;
  /** Since when the cell has been healthy without a break; ms since the epoch, null when it is not. */
  readonly healthySince: number | null;
  readonly nowMs: number;
};

/** A cell that comes and goes does not take its vehicles with it. */
export const STEADY_MS = 60_000;

/** Whether the vehicles of a failed-over cell may begin to return: it has been healthy for a while, or an operator says so. */
export const mayBeginReturn = ({ cell, isForced, policy, healthySince, nowMs }: ReturnFacts): boolean => {
  if (cell.failover.phase !== "failed_over" || !takesTraffic(cell.state) || healthySince === null) return false;
  return isForced || (policy === "automatic" && nowMs - healthySince >= STEADY_MS);
};
