import { type Admission, admit, type VehicleRecord } from "#schema/domain/admission.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type Guest, welcome } from "#schema/domain/guest.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Clock } from "../clock.ts";
import type { Replicas } from "../standby/replicas.ts";
import type { Stays } from "../standby/stays.ts";
import type { Presented } from "./credentials.ts";
import type { Failovers } from "./failovers.ts";
import type { CellStanding } from "./footing.ts";
import { sinceAfter, type Vehicle } from "./vehicle.ts";
import type { VehicleTable } from "./vehicle-table.ts";
import type { World } from "./world.ts";

export type AdmissionContext = {
  readonly self: CellId;
  readonly table: VehicleTable;
  readonly world: () => World;
  readonly standing: CellStanding;
  readonly failovers: Failovers;
  readonly stays: Stays;
  readonly clock: Clock;
  readonly replicas: Pick<Replicas, "of">;
  /** A guest came in this term for the first time: what its owner had for it is taken up, on disk when it resolves. */
  readonly onWelcome: (vehicle: Vehicle) => Promise<void>;
  /** Called when a record says that the vehicle is another cell's now: a live session must go. */
  readonly onMovedAway: (vehicle: Vehicle) => void;
};

export type AdmissionRequest = { readonly presented: Presented; readonly claimedVin: string | null; readonly isOverBudget: boolean };

/** The decision, with the vehicle as it stands on disk when the decision is given. */
export type AdmissionOutcome = { readonly admission: Admission; readonly vehicle: Vehicle | undefined };

/** A guest as it stands from now on. `vinKey` is the one that its owner told. */
type Hosted = Guest & { readonly vinKey: VinKey | null; readonly isNew: boolean };

const vinOf = ({ credential }: Presented): Vin | null => (credential.kind === "unverifiable" ? null : credential.vin);

/** A guest is written down when it comes in a term for the first time, or with a newer epoch. */
const hostedBy = (context: AdmissionContext, admission: Admission, presented: Presented, before: Vehicle | undefined): Hosted | null => {
  if (admission.kind !== "admit" || admission.guestOf === null) return null;
  const { credential } = presented;
  const owner = admission.guestOf;
  const vin = vinOf(presented);
  const replica = vin === null ? null : context.replicas.of(vin);
  const epoch = credential.kind === "ticket" ? credential.epoch : (replica?.epoch ?? 0);
  const { term } = context.failovers.of(owner);
  const stay = before === undefined ? null : context.stays.of(before.number).stay;
  const isHere = before?.record.state === "guest" && before.record.owner === owner && stay?.term === term;
  if (isHere && before.record.epoch >= epoch) return null;
  return { ...welcome(owner, term, epoch, { record: before?.record ?? null, stay }), vinKey: replica?.vinKey ?? null, isNew: !isHere };
};

/** The vehicle with a record learnt from its credential; null when there is no vinKey to know it by. */
const learn = (context: AdmissionContext, vin: Vin, record: VehicleRecord, told: VinKey | null): Vehicle | null => {
  const known = context.table.get(vin);
  const vinKey = known?.vinKey ?? told;
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
  const replica = vin === null ? null : context.replicas.of(vin);
  const admission = admit({
    self: context.self,
    isOverBudget,
    claimedVin,
    credential: presented.credential,
    record: before?.record ?? null,
    isTableComplete: context.standing.isTableComplete(before, presented.credential),
    standbyFor: world.standbyFor,
    failedOver: world.standbyFor.filter((owner) => context.standing.isFailedOver(owner, before)),
    replicas: replica === null ? [] : [replica.owner],
  });
  if (vin === null) return { admission, vehicle: undefined };
  const hosted = hostedBy(context, admission, presented, before);
  const record = admission.learn ?? hosted?.record ?? null;
  const after = record === null ? null : learn(context, vin, record, presented.vinKey ?? hosted?.vinKey ?? null);
  if (after !== null) {
    if (hosted !== null) context.stays.set(after.number, { stay: hosted.stay });
    const stored = context.table.update({ set: [after], drop: [], erase: [] });
    if (after.record.state === "moved") context.onMovedAway(after);
    await stored;
    if (hosted?.isNew === true) await context.onWelcome(after);
  } else {
    await context.table.settled(vin);
  }
  return { admission, vehicle: after ?? before };
};
