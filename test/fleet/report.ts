import type { Histogram } from "./histogram.ts";
import type { Tally } from "./tally.ts";

const ms = (value: number | null): string => (value === null ? "-" : value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`);

const latency = (histogram: Histogram): string => `${ms(histogram.percentile(0.5))} / ${ms(histogram.percentile(0.99))}`;

/** One line on how the run goes. */
export const progressLine = (
  tally: Tally,
  at: { readonly second: number; readonly connected: number; readonly vehicles: number },
): string =>
  [
    `${String(at.second).padStart(4)} s`,
    `connected ${at.connected}/${at.vehicles}`,
    `sent ${tally.sent}`,
    `acknowledged ${tally.acknowledged}`,
    `redirects ${tally.redirects}`,
    `commands ${tally.commandsSucceeded}/${tally.commandsSent}`,
    `ack p99 ${ms(tally.latencies.publishAck.percentile(0.99))}`,
  ].join("  ");

export type Closing = {
  readonly vehicles: number;
  readonly connected: number;
  readonly stored: number;
  /** Acknowledged by a cell that has since given the vehicle up. */
  readonly unreadable: number;
};

/** The closing summary. */
export const summary = (tally: Tally, run: Closing): string => {
  const { badRefused: bad, latencies } = tally;
  const rows: readonly (readonly [string, string])[] = [
    ["vehicles", `${run.vehicles}, ${run.connected} connected at the end`],
    ["connects", `${tally.connects} (refused ${tally.refusals}, redirects followed ${tally.redirects})`],
    ["resolves", `${tally.resolves} (failed ${tally.resolveFailures})`],
    ["messages", `sent ${tally.sent}, acknowledged ${tally.acknowledged}, stored ${run.stored}, rejected ${tally.rejected}`],
    ...(run.unreadable === 0 ? [] : [["not readable", `${run.unreadable} acknowledged by a cell that has given the vehicle up`] as const]),
    ["commands", `sent ${tally.commandsSent}, succeeded ${tally.commandsSucceeded}, unsuccessful ${tally.commandsUnsuccessful}`],
    ["bad commands refused", `tampered ${bad.tampered}, repeated ${bad.repeated}, expired ${bad.expired}, foreign ${bad.foreign}`],
    ["latency p50 / p99", ""],
    ["  resolve", latency(latencies.resolve)],
    ["  connect", latency(latencies.connect)],
    ["  publish to ack", latency(latencies.publishAck)],
    ["  command round trip", latency(latencies.command)],
  ];
  const notes = tally.examples.map((example) => `  note: ${example}`);
  return [...rows.map(([name, value]) => `${name.padEnd(22)}${value}`.trimEnd()), ...notes].join("\n");
};

/** Prints progress: a line a second, or one line that changes on a terminal. */
export const createProgress = (out: NodeJS.WriteStream) => ({
  show: (line: string) => out.write(out.isTTY ? `\r\u001b[2K${line.slice(0, (out.columns ?? 120) - 1)}` : `${line}\n`),
  end: () => out.write(out.isTTY ? "\n" : ""),
});
