import { openHttp } from "./http.ts";
import type { Job, Outcome } from "./job.ts";
import { startStopwatch } from "./stopwatch.ts";

type DrainJob = Extract<Job, { kind: "drain" }>;

/** Sends each request once, as fast as the answers come. */
export const runDrain = async ({ port, connections, requests }: DrainJob): Promise<Outcome> => {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  let sent = 0;
  let answered = 0;
  const stopwatch = startStopwatch();
  const lanes = Array.from({ length: connections }, () => {
    const askNext = (): void => {
      const request = requests[sent++];
      if (request !== undefined) lane.ask(request);
    };
    const onAnswered = (): void => {
      answered += 1;
      if (answered === requests.length) resolve();
      else askNext();
    };
    const lane = openHttp(port, onAnswered, reject);
    askNext();
    return lane;
  });
  await done;
  const measured = stopwatch();
  for (const lane of lanes) lane.close();
  return { count: answered, ...measured, perLogin: [] };
};
