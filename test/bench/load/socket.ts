import { connect, type Socket } from "node:net";

const READ_BYTES = 16 * 1024;

/** A TCP connection that hands over what it reads without the stream machinery; the bytes are valid during the call only. */
export const openSocket = (port: number, onRead: (bytes: Uint8Array) => void, onEnd: (error: Error | null) => void): Socket => {
  const socket = connect({
    ...{ host: "127.0.0.1", port, noDelay: true },
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (length, bytes) => {
        onRead(bytes.subarray(0, length));
        return true;
      },
    },
  });
  let failure: Error | null = null;
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", () => onEnd(failure));
  return socket;
};
