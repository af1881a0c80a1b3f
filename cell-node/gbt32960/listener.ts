import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { LRUCache } from "lru-cache";
import type { Vin } from "#schema/domain/vin.ts";
import type { AlarmMemory } from "./begin-storing.ts";
import { peerOf } from "./peer.ts";
import { createPlatforms, type PlatformList } from "./platforms.ts";
import type { Gbt32960Ports } from "./ports.ts";
import { serveConnection } from "./serve-connection.ts";

export type Gbt32960Options = {
  readonly host: string;
  readonly port: number;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The authorities that issue the vehicles' certificates, PEM. */
  readonly clientAuthoritiesFile: string;
  readonly platforms: PlatformList;
  readonly maxConnections: number;
  /** How often the certificate files are looked at; changed ones hold for connections to come. */
  readonly certificateCheckMs?: number;
};

export type Gbt32960Dependencies = { readonly ports: Gbt32960Ports; readonly isRevoked: (id: string) => boolean };

export type Gbt32960Listener = {
  readonly port: number;
  readonly connected: number;
  /** No new connections from now on, and those there are end. */
  close(): Promise<void>;
};

const HANDSHAKE_MS = 5_000;
const CERTIFICATE_CHECK_MS = 10_000;
const FRAME_MS = 10_000;
/** The longest heartbeat period is 240 s (table B.8, 0x09). */
const IDLE_MS = 300_000;

const contextOf = ({ certificateFile, keyFile, clientAuthoritiesFile }: Gbt32960Options) => ({
  cert: readFileSync(certificateFile),
  key: readFileSync(keyFile),
  ca: readFileSync(clientAuthoritiesFile),
});

/** Listens for GB/T 32960.3: TLS always; vehicles with a certificate of their own, platforms from their addresses. */
export const listenGbt32960 = async ({ ports, isRevoked }: Gbt32960Dependencies, options: Gbt32960Options): Promise<Gbt32960Listener> => {
  const platforms = createPlatforms(options.platforms);
  const alarms: AlarmMemory = new LRUCache({ max: options.maxConnections * 2 });
  const sockets = new Set<TLSSocket>();
  const byVin = new Map<Vin, TLSSocket>();
  const policy = { isAllowedPlatform: platforms.isAllowed, isRevoked };

  /** B.2.7: a new connection of a vehicle ends its former one. Sessions of other protocols are not looked at. */
  const replaceFormer = (vin: Vin, socket: TLSSocket): void => {
    byVin.get(vin)?.destroy();
    byVin.set(vin, socket);
    socket.once("close", () => {
      if (byVin.get(vin) === socket) byVin.delete(vin);
    });
  };

  const accept = (socket: TLSSocket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", (error) => ports.logger.debug("socket failed", { error: error.message }));
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    const peer = peerOf(socket, policy);
    ports.metrics.connection(peer.kind);
    if (peer.kind === "stranger") {
      ports.logger.debug("a GB/T 32960 peer was refused", { reason: peer.reason });
      socket.destroy();
      return;
    }
    if (peer.kind === "vehicle") replaceFormer(peer.vin, socket);
    void serveConnection({ ports, alarms, platforms, frameMs: FRAME_MS }, peer, socket);
  };

  const server = createServer(
    // Platforms have no certificate: who has none is judged by address, and who has one by the certificate, in peerOf.
    { ...contextOf(options), requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_MS },
    accept,
  );
  server.maxConnections = options.maxConnections;
  server.on("tlsClientError", (_, socket) => socket.destroy());
  const reload = (): void => {
    try {
      server.setSecureContext(contextOf(options));
      ports.logger.info("certificates of GB/T 32960 reloaded");
    } catch (error) {
      ports.logger.error("certificates of GB/T 32960 could not be reloaded: the former ones stay", { error });
    }
  };
  const files = [options.certificateFile, options.keyFile, options.clientAuthoritiesFile];
  const interval = options.certificateCheckMs ?? CERTIFICATE_CHECK_MS;
  for (const file of files) watchFile(file, { interval, persistent: false }, reload);

  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ port: options.port, host: options.host }, resolve);
  await promise;

  return {
    port: (server.address() as AddressInfo).port,
    get connected() {
      return sockets.size;
    },
    close: () =>
      new Promise((done) => {
        for (const file of files) unwatchFile(file, reload);
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
