import type { AdmissionFacts, Credential, VehicleRecord } from "#schema/domain/admission.ts";
import { cell, vin } from "./samples.ts";

export const VIN = vin("WVWZZZ1JZ3W386752");
/** The cell that decides, the one that it stands in for, and a third. */
export const SELF = cell("cell-a");
export const P = cell("cell-p");
export const X = cell("cell-x");

export const device: Credential = { kind: "device", vin: VIN };

type TicketCredential = Extract<Credential, { kind: "ticket" }>;

export const ticket = (owner: typeof SELF, epoch: number, more: Partial<TicketCredential> = {}): Credential => ({
  kind: "ticket",
  vin: VIN,
  cell: owner,
  epoch,
  isFailover: false,
  isExpired: false,
  ...more,
});

export const owned = (epoch: number): VehicleRecord => ({ state: "owned", epoch });
export const locked = (epoch: number): VehicleRecord => ({ state: "locked", epoch });
export const copied = (epoch: number): VehicleRecord => ({ state: "copied", epoch });
export const moved = (epoch: number, movedTo = X): VehicleRecord => ({ state: "moved", epoch, movedTo });
export const guest = (epoch: number, isReturned = false): VehicleRecord => ({ state: "guest", epoch, owner: P, isReturned });

export const factsOf = (more: Partial<AdmissionFacts>): AdmissionFacts => ({
  self: SELF,
  isOverBudget: false,
  claimedVin: VIN,
  credential: device,
  record: null,
  isTableComplete: true,
  standbyFor: [],
  failedOver: [],
  replicas: [],
  ...more,
});

/** This cell is P's standby and knows that P is failed over. */
export const standingIn: Partial<AdmissionFacts> = { standbyFor: [P], failedOver: [P] };
/** This cell is P's standby; P serves, as far as it knows. */
export const standingBy: Partial<AdmissionFacts> = { standbyFor: [P] };
