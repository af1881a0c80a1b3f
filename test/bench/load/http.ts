import { openSocket } from "./socket.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** The status of a whole answer (RFC 9112 §6.3); null while some of it is missing. */
export const readAnswer = (bytes: Buffer): number | null => {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = bytes.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const isWhole =
    length === undefined ? bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : bytes.length >= headEnd + 4 + Number(length);
  return isWhole ? Number(head.slice(9, 12)) : null;
};

export type HttpConnection = { ask(request: string): void; close(): void };

/** A kept connection with one request on it at a time; anything but a 2xx or 3xx fails the run. */
export const openHttp = (port: number, onAnswered: () => void, onFailure: (error: Error) => void): HttpConnection => {
  let pending: Buffer | null = null;
  let isOver = false;
  const onRead = (read: Uint8Array): void => {
    const bytes: Buffer = pending === null ? Buffer.from(read.buffer, read.byteOffset, read.byteLength) : Buffer.concat([pending, read]);
    const status = readAnswer(bytes);
    pending = status === null ? Buffer.from(bytes) : null;
    if (status === null) return;
    if (status < 200 || status >= 400) onFailure(new Error(`answered ${bytes.subarray(0, 600)}`));
    else onAnswered();
  };
  const socket = openSocket(port, onRead, (error) => {
    if (!isOver) onFailure(error ?? new Error("the server closed the connection"));
  });
  return {
    ask: (request) => socket.write(request, "latin1"),
    close() {
      isOver = true;
      socket.destroy();
    },
  };
};
