import { once } from "node:events";
import type { Socket } from "node:net";
import type { Refusal } from "#schema/domain/admission.ts";
import { encodeAnswer, type Outcome } from "./answer.ts";
import { type AlarmMemory, beginStoring, type Storable } from "./begin-storing.ts";
import { decide } from "./decide.ts";
import { type Frame, MAX_DATA_BYTES } from "./frame.ts";
import { createFrameReader, type FrameRead, type FrameReader } from "./frame-reader.ts";
import type { Peer } from "./peer.ts";
import type { Platforms } from "./platforms.ts";
import type { FrameOutcome, Gbt32960Ports } from "./ports.ts";

export type ConnectionContext = {
  readonly ports: Gbt32960Ports;
  readonly alarms: AlarmMemory;
  readonly platforms: Platforms;
  /** A frame that has begun is complete within this time. */
  readonly frameMs: number;
};

const FLUSH_MS = 1_000;

type Reply = { readonly frame: Frame; readonly outcome: Promise<Outcome> | Outcome; readonly isLast: boolean };

const METRIC: Readonly<Record<Outcome, FrameOutcome>> = {
  success: "answered",
  checksum: "faulty",
  malformed: "faulty",
  encrypted: "faulty",
  unexpected: "faulty",
  unknown_vehicle: "refused",
  unavailable: "failed",
};

/** "Not now" is no word on whether the vehicle exists. */
const outcomeOf = (refusal: Refusal): Outcome => (refusal === "busy" || refusal === "over_budget" ? "unavailable" : "unknown_vehicle");

/** Cuts a connection whose frame has begun and does not come to its end. */
const createFrameWatch = (socket: Socket, frameMs: number) => {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    stop,
    note(reader: FrameReader, hasCompleted: boolean): void {
      if (hasCompleted || !reader.isMidFrame) stop();
      if (reader.isMidFrame) timer ??= setTimeout(() => socket.destroy(), frameMs);
    },
  };
};

/** Lets the last answer out, throws away what still comes, and closes. */
const endConnection = (socket: Socket): void => {
  const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
  socket.end();
};

/**
 * Serves one connection until it ends. Frames are taken in order and answered in order; those of one chunk share the store's commits, and
 * the next chunk is read when they are answered, so that a peer is never ahead of the disk by more than a chunk.
 */
export const serveConnection = async (context: ConnectionContext, peer: Peer, socket: Socket): Promise<void> => {
  const { ports, alarms, platforms } = context;
  const reader = createFrameReader(MAX_DATA_BYTES);
  const watch = createFrameWatch(socket, context.frameMs);
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  let isLoggedIn = false;

  const store = async (frame: Frame, decision: Storable): Promise<Reply> => {
    const admission = await ports.admitVin(decision.vin);
    if (admission.kind === "admitted") {
      return { frame, outcome: beginStoring(ports, alarms, admission.vehicle, frame, decision), isLast: false };
    }
    // A platform carries other vehicles too: only a vehicle's own connection ends with its refusal.
    return { frame, outcome: outcomeOf(admission.refusal), isLast: peer.kind === "vehicle" };
  };

  const take = async (frame: Frame): Promise<Reply | null> => {
    const decision = decide(peer, isLoggedIn, frame);
    switch (decision.kind) {
      case "ignore":
        ports.metrics.frame("ignored");
        return null;
      case "answer":
        return { frame, outcome: decision.outcome, isLast: decision.isLast };
      case "log_in":
        isLoggedIn = peer.kind === "platform" && platforms.verify(peer.address, decision.user, decision.password);
        if (!isLoggedIn) ports.metrics.connection("login_refused");
        return { frame, outcome: isLoggedIn ? "success" : "unexpected", isLast: !isLoggedIn };
      case "log_out":
        isLoggedIn = false;
        return { frame, outcome: "success", isLast: true };
      case "report":
      case "presence":
        return store(frame, decision);
    }
  };

  const send = async ({ frame, outcome }: Reply): Promise<void> => {
    const settled = await outcome;
    const isStored = settled === "success" && outcome instanceof Promise;
    ports.metrics.frame(isStored ? "stored" : METRIC[settled]);
    if (!socket.write(encodeAnswer(frame, settled, ports.clock.nowMs()))) await once(socket, "drain", { signal: closed.signal });
  };

  /** False when the connection is to end. */
  const takeReads = async (reads: readonly FrameRead[]): Promise<boolean> => {
    const replies: Reply[] = [];
    let isOver = false;
    for (const read of reads) {
      if (read.kind === "frame") {
        const reply = await take(read.frame);
        if (reply !== null) replies.push(reply);
        isOver = reply?.isLast === true;
      } else if (read.kind === "bad_check") {
        replies.push({ frame: read.frame, outcome: "checksum", isLast: false });
      } else {
        ports.metrics.frame("faulty");
        isOver = true;
      }
      if (isOver) break;
    }
    for (const reply of replies) await send(reply);
    return !isOver;
  };

  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      const reads = reader.push(chunk as Buffer);
      watch.note(reader, reads.length > 0);
      if (!(await takeReads(reads))) break;
    }
    endConnection(socket);
  } catch (error) {
    ports.logger.debug("a GB/T 32960 connection failed", { error: error instanceof Error ? error.message : error });
    socket.destroy();
  } finally {
    watch.stop();
  }
};
