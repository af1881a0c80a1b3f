import { createHistogram } from "./histogram.ts";

/** Everything that a run counts. */
export const createTally = () => ({
  connects: 0,
  resolves: 0,
  resolveFailures: 0,
  refusals: 0,
  redirects: 0,
  sent: 0,
  acknowledged: 0,
  rejected: 0,
  held: 0,
  commandsSent: 0,
  commandsSucceeded: 0,
  commandsUnsuccessful: 0,
  commandsExecuted: 0,
  /** Bad offers that vehicles refused, by kind. */
  badRefused: { tampered: 0, expired: 0, foreign: 0, repeated: 0 },
  latencies: {
    resolve: createHistogram(),
    connect: createHistogram(),
    publishAck: createHistogram(),
    command: createHistogram(),
  },
  /** First examples of what went wrong, for the summary. */
  examples: [] as string[],
  /** Reasons for which the run fails. */
  violations: [] as string[],
});
export type Tally = ReturnType<typeof createTally>;

const MAX_EXAMPLES = 8;

/** Keeps the first few different examples. */
export const addExample = (tally: Tally, example: string): void => {
  if (tally.examples.length < MAX_EXAMPLES && !tally.examples.includes(example)) tally.examples.push(example);
};
