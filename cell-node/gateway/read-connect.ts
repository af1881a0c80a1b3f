import type { Socket } from "node:net";
import { CONNECT_TYPE, peekLevel } from "./connect-packet.ts";

export type ConnectRead =
  | { readonly kind: "frame"; readonly frame: Buffer; readonly rest: Buffer }
  | { readonly kind: "too_large"; readonly level: number | null }
  | { readonly kind: "not_connect" }
  | { readonly kind: "timeout" }
  | { readonly kind: "closed" };

type Header =
  | { readonly kind: "header"; readonly frameBytes: number; readonly bodyStart: number }
  | { readonly kind: "not_connect" }
  | { readonly kind: "more" };

/** [MQTT-3.1.0-1]: the first packet is a CONNECT. Its length is known before its body is kept. */
const readHeader = (bytes: Buffer): Header => {
  if (bytes.length > 0 && bytes[0] !== CONNECT_TYPE) return { kind: "not_connect" };
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    const digit = bytes[i];
    if (digit === undefined) return { kind: "more" };
    length += (digit & 0x7f) * 128 ** (i - 1);
    if ((digit & 0x80) === 0) return { kind: "header", frameBytes: 1 + i + length, bodyStart: 1 + i };
  }
  return { kind: "not_connect" };
};

/** What the bytes so far amount to; null when more are needed. */
const examine = (bytes: Buffer, maxBytes: number): ConnectRead | null => {
  const header = readHeader(bytes);
  if (header.kind === "more") return null;
  if (header.kind === "not_connect") return header;
  if (header.frameBytes > maxBytes) return { kind: "too_large", level: peekLevel(bytes.subarray(header.bodyStart)) };
  if (bytes.length < header.frameBytes) return null;
  return { kind: "frame", frame: bytes.subarray(0, header.frameBytes), rest: bytes.subarray(header.frameBytes) };
};

/** Reads the first packet of a connection and pauses the socket. Keeps at most `maxBytes` and one chunk, and waits at most `timeoutMs`. */
export const readConnect = (socket: Socket, maxBytes: number, timeoutMs: number): Promise<ConnectRead> =>
  new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const finish = (read: ConnectRead): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off("data", onData).off("close", onClose).off("end", onClose);
      resolve(read);
    };
    const onClose = (): void => finish({ kind: "closed" });
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const read = examine(bytes, maxBytes);
      if (read !== null) finish(read);
    };
    const timer = setTimeout(() => finish({ kind: "timeout" }), timeoutMs);
    socket.on("data", onData).once("close", onClose).once("end", onClose);
  });
