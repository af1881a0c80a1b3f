import { spawn } from "node:child_process";
import { untilListening } from "./listening.ts";
import { pinned } from "./pin.ts";

/** A program that serves on a port of its own, on the servers' core. */
export type Server = { readonly pid: number; readonly port: number; stop(): Promise<void> };

/** Starts a server; when this returns it listens. Throws with the end of what it wrote when it does not come up. */
export const startServer = async (
  name: string,
  port: number,
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> => {
  const [command, ...args] = pinned("server", argv);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], ...env } });
  process.once("exit", () => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-2000);
    });
  }
  try {
    await untilListening(name, child, port);
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${name} did not come up: ${said}`, { cause: error });
  }
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGTERM");
    });
  return { pid: child.pid ?? 0, port, stop };
};

/** Ends what was started, the last first. */
export const stopAll = async (servers: readonly { stop(): Promise<void> }[]): Promise<void> => {
  for (const server of servers.toReversed()) await server.stop();
};
