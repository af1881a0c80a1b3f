import type { Job, Outcome } from "./job.ts";
import { connectPacket, DISCONNECT } from "./packets.ts";
import { openSocket } from "./socket.ts";
import { startStopwatch } from "./stopwatch.ts";

type ConnectJob = Extract<Job, { kind: "connect" }>;

const isAccepting = (connack: Uint8Array): boolean => connack[0] === 0x20 && connack[3] === 0;

/** Resolves at the CONNACK; the connection is closed meanwhile. */
const attempt = (port: number, packet: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const onRead = (bytes: Uint8Array) => {
      if (!isAccepting(bytes)) return reject(new Error(`CONNECT was answered ${Buffer.from(bytes).toString("hex")}`));
      resolve();
      socket.end(DISCONNECT);
    };
    const socket = openSocket(port, onRead, (error) => reject(error ?? new Error("CONNECT was answered by closing")));
    socket.write(packet);
  });

/** Connects in every slot, one after another; counted are the accepting CONNACKs within the time. */
export const runConnect = async (job: ConnectJob): Promise<Outcome> => {
  const packets = job.slots.map((logins) => logins.map(connectPacket));
  let count = 0;
  const stopwatch = startStopwatch();
  const deadline = performance.now() + job.seconds * 1000;
  const work = async (own: readonly Buffer[]) => {
    for (let i = 0; performance.now() < deadline; i++) {
      const packet = own[i % own.length];
      if (packet === undefined) throw new Error("a slot has no login");
      await attempt(job.port, packet);
      count++;
    }
  };
  await Promise.all(packets.map(work));
  return { count, ...stopwatch(), perLogin: [] };
};
