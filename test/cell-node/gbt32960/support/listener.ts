import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import type { Vin } from "#schema/domain/vin.ts";
import { createLogger } from "#schema/http/log.ts";
import type { CloudEvent } from "../../../../cell-node/gbt32960/events.ts";
import { type Frame, MAX_DATA_BYTES } from "../../../../cell-node/gbt32960/frame.ts";
import { createFrameReader } from "../../../../cell-node/gbt32960/frame-reader.ts";
import { type Gbt32960Listener, listenGbt32960 } from "../../../../cell-node/gbt32960/listener.ts";
import type { PlatformList } from "../../../../cell-node/gbt32960/platforms.ts";
import type { Gbt32960Ports, Telemetry, VinAdmission } from "../../../../cell-node/gbt32960/ports.ts";
import { createAuthority, type Identity, type Names } from "../../support/authority.ts";
import { newFolder } from "../../support/cell.ts";
import { newVehicle, type TestVehicle } from "../../support/vehicles.ts";

/** A store in memory that says when it was written to, and can be told to wait or to fail. */
const createStorage = () => {
  const state = {
    telemetry: [] as { vin: Vin; telemetry: Telemetry }[],
    events: [] as { vin: Vin; event: CloudEvent }[],
    /** Called before anything is kept. */
    beforeWrite: async (): Promise<void> => undefined,
  };
  return state;
};

export type Client = {
  readonly socket: TLSSocket;
  send(...frames: readonly Buffer[]): void;
  /** The next answer; null when the connection ended without one. */
  answer(): Promise<Frame | null>;
  /** Resolves when the cell has closed the connection. */
  readonly closed: Promise<void>;
};

export const startListener = async (platforms: PlatformList = []) => {
  const folder = await newFolder();
  const authority = createAuthority("vehicles' CA");
  const stranger = createAuthority("vehicles' CA");
  const server = authority.issue({ commonName: "localhost", alternativeNames: [{ ipv4: "127.0.0.1" }] });
  const files = { ca: join(folder, "ca.pem"), certificate: join(folder, "server.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.ca, authority.certificate);
  writeFileSync(files.certificate, server.cert);
  writeFileSync(files.key, server.key);

  const storage = createStorage();
  const served = new Map<Vin, VinAdmission>();
  const revoked = new Set<string>();
  const counted = { frames: [] as string[], connections: [] as string[] };
  const ports: Gbt32960Ports = {
    admitVin: async (vin) => served.get(vin) ?? { kind: "refused", refusal: "resolve_first" },
    async storeTelemetry({ vin }, telemetry) {
      await storage.beforeWrite();
      storage.telemetry.push({ vin, telemetry });
    },
    async storeEvents({ vin }, events) {
      await storage.beforeWrite();
      storage.events.push(...events.map((event) => ({ vin, event })));
    },
    clock: { nowMs: () => Date.UTC(2026, 10, 20, 3, 0, 5) },
    logger: createLogger("test", "error", () => undefined),
    metrics: { frame: (outcome) => void counted.frames.push(outcome), connection: (outcome) => void counted.connections.push(outcome) },
  };
  const listener: Gbt32960Listener = await listenGbt32960(
    { ports, isRevoked: (id) => revoked.has(id) },
    {
      ...{ host: "127.0.0.1", port: 0, certificateFile: files.certificate, keyFile: files.key, clientAuthoritiesFile: files.ca },
      ...{ platforms, maxConnections: 100 },
    },
  );

  const connectWith = (identity: Partial<Identity>): Promise<Client> =>
    new Promise((resolve) => {
      const socket = connect({ port: listener.port, host: "127.0.0.1", ca: authority.certificate, ...identity });
      const reader = createFrameReader(MAX_DATA_BYTES);
      const answers: Frame[] = [];
      const waiting: ((frame: Frame | null) => void)[] = [];
      const closed = new Promise<void>((done) => socket.once("close", () => done()));
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        for (const read of reader.push(chunk))
          if (read.kind === "frame") (waiting.shift() ?? ((frame) => frame && answers.push(frame)))(read.frame);
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

  return {
    ...{ listener, authority, stranger, storage, served, revoked, counted, connectWith },
    /** A vehicle that this cell serves. */
    async newServed(): Promise<TestVehicle> {
      const vehicle = await newVehicle();
      served.set(vehicle.vin, { kind: "admitted", vehicle: { ...vehicle, number: served.size + 1 } });
      return vehicle;
    },
    connectAs: (names: Names): Promise<Client> => connectWith(authority.issue(names)),
  };
};
export type TestListener = Awaited<ReturnType<typeof startListener>>;
