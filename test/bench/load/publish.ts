import type { Job, Outcome } from "./job.ts";
import { connectPacket, createPublisher, DISCONNECT } from "./packets.ts";
import { openSocket } from "./socket.ts";
import { startStopwatch } from "./stopwatch.ts";

type PublishJob = Extract<Job, { kind: "publish" }>;

const CONNACK_BYTES = 4;
const PUBACK_BYTES = 4;
const SETTLE_MS = 500;

/** One connection that keeps `inFlight` publishes unacknowledged. */
const startStream = (job: PublishJob, login: PublishJob["logins"][number], onReady: () => void, onFailure: (error: Error) => void) => {
  const publisher = createPublisher(`v1/${login.clientId}/telemetry`, `${job.run}-${login.clientId}-`);
  let read = 0;
  let isOn = false;
  let isOver = false;

  const onConnack = (bytes: Uint8Array) => {
    if (bytes[0] !== 0x20 || bytes[3] !== 0)
      return onFailure(new Error(`${login.clientId} was refused: ${Buffer.from(bytes).toString("hex")}`));
    onReady();
  };

  const onRead = (bytes: Uint8Array) => {
    if (read === 0) onConnack(bytes);
    const before = Math.floor(read / PUBACK_BYTES);
    read += bytes.length;
    const acknowledged = Math.floor(read / PUBACK_BYTES) - Math.max(before, 1);
    if (isOn && acknowledged > 0) socket.write(publisher.next(acknowledged));
  };

  const socket = openSocket(job.port, onRead, (error) => {
    if (!isOver) onFailure(error ?? new Error(`${login.clientId} was disconnected`));
  });
  socket.write(connectPacket(login));

  return {
    start() {
      isOn = true;
      socket.write(publisher.next(job.inFlight));
    },
    stop() {
      isOn = false;
    },
    close() {
      isOver = true;
      socket.end(DISCONNECT);
    },
    acknowledged: () => Math.max(0, Math.floor((read - CONNACK_BYTES) / PUBACK_BYTES)),
  };
};

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** QoS 1 publishes over all logins at once; counted are the acknowledgements within the time. */
export const runPublish = async (job: PublishJob): Promise<Outcome> => {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  let waiting = job.logins.length;
  const onReady = () => {
    if (--waiting === 0) resolve();
  };
  const streams = job.logins.map((login) => startStream(job, login, onReady, reject));
  await Promise.race([ready, failed]);
  const stopwatch = startStopwatch();
  for (const stream of streams) stream.start();
  await Promise.race([sleep(job.seconds * 1000), failed]);
  const measured = stopwatch();
  const count = streams.reduce((sum, stream) => sum + stream.acknowledged(), 0);
  for (const stream of streams) stream.stop();
  await sleep(SETTLE_MS);
  const perLogin = streams.map((stream) => stream.acknowledged());
  for (const stream of streams) stream.close();
  return { count, ...measured, perLogin };
};
