import fc from "fast-check";
import { FAILOVER_PHASES, type FailoverState } from "#schema/domain/failover.ts";
import { cell } from "./samples.ts";

export const OWNER = cell("cell-owner");
export const STANDBY = cell("cell-standby");

export const failover = (phase: FailoverState["phase"], term: number): FailoverState => ({
  phase,
  term,
  standby: term === 0 ? null : STANDBY,
});

/** One standby a term, as control writes it. */
export const anyFailover: fc.Arbitrary<FailoverState> = fc
  .record({ phase: fc.constantFrom(...FAILOVER_PHASES), term: fc.integer({ min: 1, max: 4 }) })
  .map(({ phase, term }) => failover(phase, term));
