import type { ChildProcess } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;
const POLLS = 600;

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });

/** Waits until a program listens; throws when it ends before, or takes half a minute. */
export const untilListening = async (name: string, child: ChildProcess, port: number): Promise<void> => {
  for (let poll = 0; !(await isListening(port)); poll++) {
    if (poll > POLLS || child.exitCode !== null) throw new Error(`${name} did not start`);
    await sleep(POLL_MS);
  }
};
