import type { Bounds } from "./world.ts";

/** Nothing but crashes and bad lines. */
export const CALM: Bounds = {
  moves: 0,
  raises: 0,
  failovers: 0,
  hasPauses: false,
  hasCommand: false,
  hasMishaps: false,
  hasReplication: false,
};

/** What the adversary may do in each run. Crashes, lost connections, and messages late, repeated, reordered or lost are without bound in all of them. */
export const SCENARIOS = {
  "a move with a command waiting": { ...CALM, moves: 1, hasCommand: true, hasMishaps: true },
  "two moves, in either direction": { ...CALM, moves: 2, hasMishaps: true },
  "a move while control raises the epoch": { ...CALM, moves: 1, raises: 1, hasMishaps: true },
  "a failover and return with a command waiting": { ...CALM, failovers: 1, hasCommand: true, hasReplication: true },
  "a failover and return with cells that freeze, thaw and are left alone": { ...CALM, failovers: 1, hasPauses: true, hasReplication: true },
  "a failover and return of a cell whose epoch is raised": { ...CALM, failovers: 1, raises: 1 },
  "two failovers, the second perhaps in the return of the first": { ...CALM, failovers: 2, hasReplication: true },
} as const satisfies Readonly<Record<string, Bounds>>;
