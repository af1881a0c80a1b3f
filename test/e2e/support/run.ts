import { spawn, spawnSync } from "node:child_process";

export type Finished = { readonly status: number | null; readonly output: string };

/** Runs a command to its end; `output` is what it wrote, both streams in order. */
export const run = (command: string, args: readonly string[]): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, output }));
  });

/** Whether a command can be run here. */
export const isInstalled = (command: string): boolean => spawnSync(command, ["--help"], { stdio: "ignore" }).error === undefined;
