import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Vin } from "#schema/domain/vin.ts";
import { createLogger } from "#schema/http/log.ts";
import type { CloudEvent } from "../../../../cell-node/gbt32960/events.ts";
import { type Gbt32960Listener, listenGbt32960 } from "../../../../cell-node/gbt32960/listener.ts";
import type { PlatformList } from "../../../../cell-node/gbt32960/platforms.ts";
import type { Gbt32960Ports, Telemetry, VinAdmission } from "../../../../cell-node/gbt32960/ports.ts";
import { createAuthority, type Identity, type Names } from "../../support/authority.ts";
import { newFolder } from "../../support/cell.ts";
import { newVehicle, type TestVehicle } from "../../support/vehicles.ts";
import { type Client, connectTls } from "./client.ts";

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
      ...{ platforms, maxConnections: 100, certificateCheckMs: 20 },
    },
  );

  const connectWith = (identity: Partial<Identity>): Promise<Client> => connectTls(listener.port, authority, identity);

  return {
    ...{ listener, files, authority, stranger, storage, served, revoked, counted, connectWith },
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
