import type { Audit } from "./audit.ts";
import type { Tally } from "./tally.ts";

export type FleetFacts = {
  readonly tally: Pick<Tally, "acknowledged" | "rejected" | "commandsSent" | "commandsSucceeded" | "violations">;
  /** An interrupted run says nothing about what was still to come. */
  readonly isInterrupted: boolean;
  readonly neverConnected: number;
  readonly disconnectedAtEnd: number;
  readonly unacknowledged: number;
  /** One per vehicle that could be read back. */
  readonly audits: readonly Audit[];
  /** Why vehicles could not be read back. */
  readonly auditFailures: readonly string[];
};

type Check = (facts: FleetFacts) => string | null;

const some = (count: number, what: string): string | null => (count === 0 ? null : `${count} ${what}`);
const first = (ids: readonly string[]): string => ids.slice(0, 3).join(", ");

/** Hold for every run. */
const ALWAYS: readonly Check[] = [
  ({ tally }) => some(tally.violations.length, `commands that no vehicle may execute: ${first([...new Set(tally.violations)])}`),
  ({ audits }) => {
    const missing = audits.flatMap((audit) => audit.missing);
    return some(missing.length, `acknowledged messages are missing: ${first(missing)}`);
  },
  ({ audits }) => {
    const duplicated = audits.flatMap((audit) => audit.duplicated);
    return some(duplicated.length, `messages are stored more than once: ${first(duplicated)}`);
  },
  ({ auditFailures }) => some(auditFailures.length, `vehicles could not be read back: ${auditFailures[0]}`),
  ({ tally }) => some(tally.rejected, "messages were rejected by a cell"),
];

/** Hold for a run that came to its end. */
const AT_THE_END: readonly Check[] = [
  ({ neverConnected }) => some(neverConnected, "vehicles never connected"),
  ({ disconnectedAtEnd, neverConnected }) => some(disconnectedAtEnd - neverConnected, "vehicles were not connected at the end"),
  ({ unacknowledged }) => some(unacknowledged, "messages were not acknowledged in time"),
  ({ tally }) => (tally.acknowledged === 0 ? "no message was acknowledged at all" : null),
  ({ tally }) => (tally.commandsSent > 0 && tally.commandsSucceeded === 0 ? "none of the commands succeeded" : null),
];

/** Why the run failed; empty when it passed. */
export const failuresOf = (facts: FleetFacts): string[] =>
  [...ALWAYS, ...(facts.isInterrupted ? [] : AT_THE_END)].map((check) => check(facts)).filter((failure) => failure !== null);
