import type { CellId } from "./cell.ts";

export const FAILOVER_PHASES = ["failed_over", "returning", "serving"] as const;
export type FailoverPhase = (typeof FAILOVER_PHASES)[number];

/** Who serves one cell's vehicles. The term rises with each failover and never falls; `standby` is null until the first. */
export type FailoverState = { readonly phase: FailoverPhase; readonly term: number; readonly standby: CellId | null };

/** A cell that was never failed over. */
export const NEVER_FAILED_OVER: FailoverState = { phase: "serving", term: 0, standby: null };

export type FailoverEvent = { readonly kind: "declared"; readonly standby: CellId } | { readonly kind: "return_begun" | "return_ended" };

/** serving -> failed_over -> returning -> serving, and back to failed_over when the cell is lost again before all its vehicles are home. */
const TRANSITIONS: Readonly<Record<FailoverPhase, Partial<Record<FailoverEvent["kind"], FailoverPhase>>>> = {
  serving: { declared: "failed_over" },
  failed_over: { return_begun: "returning" },
  returning: { declared: "failed_over", return_ended: "serving" },
};

/** The state after an event, or null when the table does not allow it. While vehicles are on their way home, only the standby that has them may take over again. */
export const advanceFailover = (state: FailoverState, event: FailoverEvent): FailoverState | null => {
  const phase = TRANSITIONS[state.phase][event.kind];
  if (phase === undefined) return null;
  if (event.kind !== "declared") return { ...state, phase };
  if (state.phase === "returning" && event.standby !== state.standby) return null;
  return { phase, term: state.term + 1, standby: event.standby };
};

const rankOf = ({ phase }: FailoverState): number => FAILOVER_PHASES.indexOf(phase);

/** The later of two accounts of one cell: the higher term, then the phase that comes later in a term. A delayed or repeated account changes nothing. */
export const laterFailover = (a: FailoverState, b: FailoverState): FailoverState => {
  if (a.term !== b.term) return a.term > b.term ? a : b;
  return rankOf(a) >= rankOf(b) ? a : b;
};

/**
 * Whether control may call a return ended: the standby has said, knowing of the return in this very term, that nobody is its guest any more. What it says of
 * an earlier term or phase proves nothing.
 */
export const mayEndReturn = (state: FailoverState, said: { readonly term: number; readonly guests: number }): boolean =>
  state.phase === "returning" && said.term === state.term && said.guests === 0;
