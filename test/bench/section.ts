import type { Measured } from "./rounds.ts";

/** What a row must reach: a share of its peer, or a rate per second. */
export type Aim = { readonly kind: "ratio" | "rate"; readonly atLeast: number };

export type Row = {
  readonly what: string;
  readonly ours: Measured;
  readonly peer: Measured | null;
  readonly ratio: number | null;
  readonly aim: Aim | null;
};

/** A part of the bench: its rows, or why it was skipped. */
export type Section =
  | { readonly kind: "measured"; readonly title: string; readonly rows: readonly Row[]; readonly notes: readonly string[] }
  | { readonly kind: "skipped"; readonly title: string; readonly reason: string };

/** Whether a row reaches its aim; null when it has none. */
export const reaches = ({ ours, ratio, aim }: Row): boolean | null => {
  if (aim === null) return null;
  return (aim.kind === "ratio" ? (ratio ?? 0) : ours.median) >= aim.atLeast;
};
