import { type HttpConnection, openHttp } from "./http.ts";
import type { Job, Outcome } from "./job.ts";
import { startStopwatch } from "./stopwatch.ts";

type PaceJob = Extract<Job, { kind: "pace" }>;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const quantileOf = (values: Float64Array, share: number): number =>
  values.toSorted()[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

/** Sends requests when they fall due and times each from then on: a server that stalls is charged for all that had to wait meanwhile. */
export const runPace = async ({ port, connections, requests, perSecond, seconds }: PaceJob): Promise<Outcome> => {
  const total = Math.max(1, Math.floor(perSecond * seconds));
  const latencies = new Float64Array(total);
  const idle: HttpConnection[] = [];
  const lanes: HttpConnection[] = [];
  let failure: Error | null = null;
  let sent = 0;
  let answered = 0;

  for (let i = 0; i < connections; i++) {
    const onAnswered = (): void => {
      latencies[answered++] = performance.now() - dueAt;
      idle.push(lane);
    };
    let dueAt = 0;
    const connection = openHttp(port, onAnswered, (error) => {
      failure = error;
    });
    const lane: HttpConnection = {
      ...connection,
      ask(request) {
        dueAt = startedAt + (sent * 1000) / perSecond;
        connection.ask(request);
      },
    };
    lanes.push(lane);
    idle.push(lane);
  }
  const stopwatch = startStopwatch();
  const startedAt = performance.now();
  while (answered < total && failure === null) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1000));
    for (let lane = sent < due ? idle.pop() : undefined; lane !== undefined; lane = sent < due ? idle.pop() : undefined) {
      lane.ask(requests[sent % requests.length] ?? "");
      sent += 1;
    }
    await nextTurn();
  }
  const measured = stopwatch();
  for (const lane of lanes) lane.close();
  if (failure !== null) throw failure;
  return { count: total, ...measured, perLogin: [], p99Ms: quantileOf(latencies, 0.99) };
};
