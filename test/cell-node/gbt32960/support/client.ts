import { connect, type TLSSocket } from "node:tls";
import { type Frame, MAX_DATA_BYTES } from "../../../../cell-node/gbt32960/frame.ts";
import { createFrameReader } from "../../../../cell-node/gbt32960/frame-reader.ts";
import type { Identity } from "../../support/authority.ts";

export type Client = {
  readonly socket: TLSSocket;
  send(...frames: readonly Buffer[]): void;
  /** The next answer; null when the connection ended without one. */
  answer(): Promise<Frame | null>;
  /** Resolves when the cell has closed the connection. */
  readonly closed: Promise<void>;
};

/** A TLS connection that reads answers; one that was refused is closed already. */
export const connectTls = (port: number, authority: { readonly certificate: string }, identity: Partial<Identity>): Promise<Client> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.certificate, ...identity });
    const reader = createFrameReader(MAX_DATA_BYTES);
    const answers: Frame[] = [];
    const waiting: ((frame: Frame | null) => void)[] = [];
    const closed = new Promise<void>((done) => socket.once("close", () => done()));
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      for (const read of reader.push(chunk)) {
        if (read.kind !== "frame") continue;
        const next = waiting.shift();
        if (next === undefined) answers.push(read.frame);
        else next(read.frame);
      }
    });
    void closed.then(() => {
      for (const done of waiting.splice(0)) done(null);
    });
    const client: Client = {
      socket,
      send: (...frames) => void socket.write(Buffer.concat(frames)),
      answer: () =>
        new Promise((done) => {
          const ready = answers.shift();
          if (ready !== undefined || socket.destroyed) done(ready ?? null);
          else waiting.push(done);
        }),
      closed,
    };
    socket.once("secureConnect", () => resolve(client));
    socket.once("close", () => resolve(client));
  });
