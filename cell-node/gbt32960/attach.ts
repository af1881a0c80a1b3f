import { Counter, type Registry } from "prom-client";
import type { Logger } from "#schema/http/log.ts";
import { type AdmissionContext, admitVehicle } from "../admission/admit-vehicle.ts";
import { isServedHere } from "../admission/vehicle.ts";
import type { StoredMessage } from "../rules/stored-message.ts";
import type { Store } from "../store/store.ts";
import type { Serving } from "../vehicle/serving.ts";
import { type Gbt32960Listener, listenGbt32960 } from "./listener.ts";
import type { Gbt32960Ports, VinAdmission } from "./ports.ts";
import type { Gbt32960Settings } from "./settings.ts";

export type CellParts = {
  readonly admission: AdmissionContext;
  readonly store: Store;
  readonly serving: Serving;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly onStored: (message: StoredMessage) => void;
};

/** A device credential that was verified on the connection, put to the admission table of design §4.3. */
const createAdmitVin =
  (admission: AdmissionContext): Gbt32960Ports["admitVin"] =>
  async (vin): Promise<VinAdmission> => {
    const presented = { credential: { kind: "device", vin }, vinKey: null } as const;
    const outcome = await admitVehicle(admission, { presented, claimedVin: vin, isOverBudget: false });
    if (outcome.admission.kind === "refuse") return { kind: "refused", refusal: outcome.admission.refusal };
    const vehicle = admission.table.get(vin);
    return vehicle !== undefined && isServedHere(vehicle) ? { kind: "admitted", vehicle } : { kind: "refused", refusal: "busy" };
  };

/** Stores for a vehicle that is served now; rejects, and so is not acknowledged, when it is not. */
const storeServed = async (serving: Serving, vehicle: number, work: () => Promise<undefined>): Promise<void> => {
  if ((await serving.ifServed(vehicle, work)) === null) throw new Error("the vehicle is not served here at this moment");
};

/** Starts the protocol on the cell's own admission and store, beside MQTT. */
export const startGbt32960 = (
  { admission, store, serving, logger, registry, onStored }: CellParts,
  options: Gbt32960Settings & { readonly host: string; readonly maxConnections: number },
): Promise<Gbt32960Listener> => {
  const labelNames = ["outcome"];
  const registers = [registry];
  const frames = new Counter({
    name: "cloverleaf_cell_gbt32960_frames_total",
    help: "GB/T 32960 frames by outcome",
    labelNames,
    registers,
  });
  const connections = new Counter({
    ...{ name: "cloverleaf_cell_gbt32960_connections_total", help: "GB/T 32960 connections by kind of peer", labelNames, registers },
  });
  const ports: Gbt32960Ports = {
    admitVin: createAdmitVin(admission),
    async storeTelemetry(vehicle, { id, receivedAt, payload }) {
      const text = JSON.stringify(payload);
      await storeServed(serving, vehicle.number, () => store.storeTelemetry({ vehicle: vehicle.number, id, receivedAt, payload: text }));
      onStored({ vehicle, channel: "telemetry", idOf: () => id, receivedAt, data: payload, sizeBytes: text.length });
    },
    async storeEvents(vehicle, events, receivedAt) {
      const rows = events.map((event) => ({ event, id: `${event.source}\n${event.id}`, text: JSON.stringify(event) }));
      const uplinks = rows.map(({ id, text }) => ["events", { vehicle: vehicle.number, id, receivedAt, payload: text }] as const);
      await storeServed(serving, vehicle.number, () => store.save({ uplinks }));
      for (const { event, id, text } of rows)
        onStored({ vehicle, channel: "events", idOf: () => id, receivedAt, data: event, sizeBytes: text.length });
    },
    clock: admission.clock,
    logger,
    metrics: { frame: (outcome) => frames.inc({ outcome }), connection: (outcome) => connections.inc({ outcome }) },
  };
  return listenGbt32960({ ports, isRevoked: (id) => admission.world().revoked.has(id) }, options);
};
