import type { Refusal } from "#schema/domain/admission.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Logger } from "#schema/http/log.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { CloudEvent } from "./events.ts";

export type ServedVehicle = Pick<Vehicle, "number" | "vin" | "vinKey">;

/** A report as telemetry; under one id it is stored once. */
export type Telemetry = { readonly id: string; readonly receivedAt: number; readonly payload: Readonly<Record<string, unknown>> };

export type VinAdmission =
  | { readonly kind: "admitted"; readonly vehicle: ServedVehicle }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export type FrameOutcome = "stored" | "answered" | "ignored" | "refused" | "faulty" | "failed";
export type ConnectionOutcome = "vehicle" | "platform" | "stranger" | "login_refused";

/** What the cell gives to this protocol. The stores resolve once everything is on disk (invariant I7). */
export type Gbt32960Ports = {
  /** The word of the admission table (design §4.3) on a VIN whose credential holds. */
  admitVin(vin: Vin): Promise<VinAdmission>;
  storeTelemetry(vehicle: ServedVehicle, telemetry: Telemetry): Promise<void>;
  storeEvents(vehicle: ServedVehicle, events: readonly CloudEvent[], receivedAt: number): Promise<void>;
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
  readonly metrics: { frame(outcome: FrameOutcome): void; connection(outcome: ConnectionOutcome): void };
};
