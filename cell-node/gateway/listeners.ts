import { readFileSync } from "node:fs";
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

export type Listener = {
  readonly port: number;
  /** No new connections from now on; those there are stay. */
  stopAccepting(): void;
  /** Cuts what is left. */
  close(): Promise<void>;
};

const start = async (server: Server, port: number, host: string, onSocket: (socket: Socket) => void, event: string): Promise<Listener> => {
  const sockets = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onSocket(socket);
  });
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ port, host, backlog: 4_096 }, resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    stopAccepting: () => void server.close(),
    close() {
      if (server.listening) server.close();
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
};

export type ListenOptions = { readonly port: number; readonly host: string; readonly onSocket: (socket: Socket) => void };

/** Plain TCP: the lab only. */
export const listenPlain = ({ port, host, onSocket }: ListenOptions): Promise<Listener> =>
  start(createNetServer(), port, host, onSocket, "connection");

export type TlsOptions = ListenOptions & { readonly certificateFile: string; readonly keyFile: string; readonly handshakeMs: number };

export const listenTls = ({ port, host, onSocket, certificateFile, keyFile, handshakeMs }: TlsOptions): Promise<Listener> => {
  const server = createTlsServer({
    cert: readFileSync(certificateFile),
    key: readFileSync(keyFile),
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeMs,
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return start(server, port, host, onSocket, "secureConnection");
};
