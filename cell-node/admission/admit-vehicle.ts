import { type Admission, admit, type VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Clock } from "../clock.ts";
import type { Presented } from "./credentials.ts";
import type { TableCompleteness } from "./table-completeness.ts";
import { sinceAfter, type Vehicle } from "./vehicle.ts";
import type { VehicleTable } from "./vehicle-table.ts";
import type { World } from "./world.ts";

export type AdmissionContext = {
  readonly self: CellId;
  readonly table: VehicleTable;
  readonly world: () => World;
  readonly completeness: TableCompleteness;
  readonly clock: Clock;
  /** Called when a record says that the vehicle is another cell's now: a live session must go. */
  readonly onMovedAway: (vehicle: Vehicle) => void;
};

export type AdmissionRequest = { readonly presented: Presented; readonly claimedVin: string | null; readonly isOverBudget: boolean };

/** The decision, with the vehicle as it stands on disk when the decision is given. */
export type AdmissionOutcome = { readonly admission: Admission; readonly vehicle: Vehicle | undefined };

const vinOf = ({ credential }: Presented): Vin | null => (credential.kind === "unverifiable" ? null : credential.vin);

/** The record that the decision leaves behind; null when it stays as it is. A guest is written down when its ticket first admits it. */
const recordAfter = (admission: Admission, { credential }: Presented, before: VehicleRecord | null): VehicleRecord | null => {
  if (admission.learn !== null) return admission.learn;
  if (admission.kind !== "admit" || admission.guestOf === null || credential.kind !== "ticket") return null;
  if (before !== null && before.epoch >= credential.epoch) return null;
  return { state: "guest", epoch: credential.epoch, owner: admission.guestOf, isReturned: false };
};

/** The vehicle with a record learnt from its credential; null when there is no vinKey to know it by. */
const learn = (context: AdmissionContext, vin: Vin, record: VehicleRecord, presented: Presented): Vehicle | null => {
  const known = context.table.get(vin);
  const vinKey = known?.vinKey ?? presented.vinKey;
  if (vinKey === null) return null;
  return {
    number: context.table.numberFor(vin),
    vin,
    vinKey,
    record,
    provisionalSince: context.clock.monotonicMs(),
    since: sinceAfter(known, record, context.clock.nowMs()),
  };
};

/** Gathers the facts, decides by the table of design §4.3, and stores what is learnt before it answers. */
export const admitVehicle = async (context: AdmissionContext, request: AdmissionRequest): Promise<AdmissionOutcome> => {
  const { presented, claimedVin, isOverBudget } = request;
  const vin = vinOf(presented);
  const world = context.world();
  const before = vin === null ? undefined : context.table.get(vin);
  const admission = admit({
    self: context.self,
    isOverBudget,
    claimedVin,
    credential: presented.credential,
    record: before?.record ?? null,
    isTableComplete: context.completeness.isComplete(),
    standbyFor: world.standbyFor,
    failedOver: world.failedOver,
    replicas: [],
  });
  if (vin === null) return { admission, vehicle: undefined };
  const record = recordAfter(admission, presented, before?.record ?? null);
  const after = record === null ? null : learn(context, vin, record, presented);
  if (after !== null) {
    const stored = context.table.update({ set: [after], drop: [], erase: [] });
    if (after.record.state === "moved") context.onMovedAway(after);
    await stored;
  } else {
    await context.table.settled(vin);
  }
  return { admission, vehicle: after ?? before };
};
