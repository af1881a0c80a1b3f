import { type Measured, medianOf, pairedRatio } from "./rounds.ts";

/** What a row must reach: a share of its peer, or a rate per second. */
export type Aim = { readonly kind: "ratio" | "rate"; readonly atLeast: number };

export type Row = {
  readonly what: string;
  readonly ours: Measured;
  readonly peer: Measured;
  /** Ours to the peer's, per second. */
  readonly ratio: number;
  /** The same per second of each server's CPU time: what other programs on the machine take does not count. */
  readonly cpuRatio: number;
  /** Of one core, by the load generator, with the contender that kept it busiest: near 1 it is the bottleneck. */
  readonly loadShare: number;
  readonly aim: Aim | null;
};

/** A part of the bench: its rows, or why it was skipped. */
export type Section =
  | { readonly kind: "measured"; readonly title: string; readonly rows: readonly Row[]; readonly notes: readonly string[] }
  | { readonly kind: "skipped"; readonly title: string; readonly reason: string };

export const rowOf = (what: string, ours: Measured, peer: Measured, aim: Aim | null = null): Row => ({
  ...{ what, ours, peer, aim },
  ratio: pairedRatio(ours, peer),
  cpuRatio: pairedRatio(ours, peer, "perCpuSecond"),
  loadShare: Math.max(...[ours, peer].map(({ samples }) => medianOf(samples.map(({ busyShare }) => busyShare)))),
});

/** Whether a row reaches its aim; null when it has none. */
export const reaches = ({ ours, ratio, aim }: Row): boolean | null => {
  if (aim === null) return null;
  return (aim.kind === "ratio" ? ratio : ours.median) >= aim.atLeast;
};
