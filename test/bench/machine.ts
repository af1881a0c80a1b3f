import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { outputOf } from "./tools.ts";

const firstLineOf = (command: string, args: readonly string[]): string =>
  outputOf(command, args)?.split("\n")[0] ?? `${command} not installed`;

/** What the figures were measured on, as Markdown lines. */
export const machineFacts = (): string[] => [
  `date: ${new Date().toISOString()}`,
  `machine: ${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()} ${arch()}`,
  `load average at the start: ${loadavg()
    .map((value) => value.toFixed(2))
    .join(" ")}`,
  `Node ${process.version}, ${firstLineOf("mosquitto", ["-h"])}, ${firstLineOf("wrk", ["-v"])}`,
  `commit: ${outputOf("git", ["describe", "--always", "--dirty"]) ?? "unknown"}`,
];
