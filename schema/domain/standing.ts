import { type FailoverState, laterFailover, NEVER_FAILED_OVER } from "./failover.ts";

/** A gap in the cell's monotonic clock after which it asks before it serves, and the silence after which it serves alone. */
export const PAUSE_MS = 10_000;
export const SILENCE_MS = 10_000;

/**
 * What a cell knows of its own standing (design §5). `asking`: it has started or stood still and asks control. `told`: control has answered since.
 * `alone`: control was silent for `SILENCE_MS`. `failover` is the latest that it was told of itself; on disk.
 */
export type Standing = { readonly mode: "asking" | "told" | "alone"; readonly failover: FailoverState };

export type StandingEvent =
  /** Start of the process, or a gap of `PAUSE_MS` in its monotonic clock: it may have been given up meanwhile. */
  | { readonly kind: "woke" }
  /** Control's answer to a sync that was sent after the last waking. */
  | { readonly kind: "answered"; readonly failover: FailoverState }
  | { readonly kind: "silence" };

export const FIRST_STANDING: Standing = { mode: "asking", failover: NEVER_FAILED_OVER };

/** The standing after an event. Silence counts only while asking: a cell that was told goes on as it was told, however long control is away. */
export const advanceStanding = (standing: Standing, event: StandingEvent): Standing => {
  switch (event.kind) {
    case "woke":
      return { ...standing, mode: "asking" };
    case "answered":
      return { mode: "told", failover: laterFailover(standing.failover, event.failover) };
    case "silence":
      return standing.mode === "asking" ? { ...standing, mode: "alone" } : standing;
  }
};

/**
 * Whether the cell may act as the owner of a vehicle: row 4 of the admission table asks this, and so does every acknowledgement and delivery.
 * While its vehicles return it serves those that have; `homeTerm` is the last term whose guest data it has merged for this vehicle, 0 for none.
 */
export const mayActAsOwner = ({ mode, failover }: Standing, homeTerm: number): boolean => {
  if (mode !== "told") return mode === "alone";
  if (failover.phase === "returning") return homeTerm >= failover.term;
  return failover.phase === "serving";
};
