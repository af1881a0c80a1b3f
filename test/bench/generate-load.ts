import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Job, Outcome } from "./load/job.ts";
import { pinned } from "./pin.ts";

const GENERATOR = join(import.meta.dirname, "load", "main.ts");

/** Runs the generator in a process of its own, on the load's core if that is wanted. */
export const generateLoad = async (job: Job, placement: "free" | "pinned" = "free"): Promise<Outcome> => {
  const argv: [string, string] = [process.execPath, GENERATOR];
  const [command, ...args] = placement === "pinned" ? pinned("load", argv) : argv;
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(JSON.stringify(job));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const line = output.trim().split("\n").at(-1) ?? "";
  if (line === "") throw new Error(`the load generator failed: ${errors.trim().slice(-2000)}`);
  return Outcome.parse(JSON.parse(line));
};
