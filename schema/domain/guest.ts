import type { VehicleRecord } from "./admission.ts";
import type { CellId } from "./cell.ts";
import type { FailoverState } from "./failover.ts";

/**
 * A guest's stay at a standby, kept beside its record: in which term it last came, and whether it has been handed over to its owner, which ends all service
 * here until a later term. What it wrote carries (epoch, term).
 */
export type Stay = { readonly term: number; readonly isHandedOver: boolean };
export type Guest = { readonly record: VehicleRecord | null; readonly stay: Stay | null };

const isGuestOf = (record: VehicleRecord | null, owner: CellId): boolean => record?.state === "guest" && record.owner === owner;

/**
 * Whether the standby may acknowledge and deliver for a guest at this moment. A session that outlived its term is asked to come again first.
 */
export const mayActAsHost = (owner: CellId, failover: FailoverState, { record, stay }: Guest): boolean =>
  failover.phase !== "serving" && isGuestOf(record, owner) && stay?.term === failover.term && !stay.isHandedOver;

/**
 * Whether this standby takes the owner to be failed over as far as one vehicle is concerned: what the admission table asks as `failedOver`. During the return
 * only guests that have not been handed over still stay, and nobody becomes a guest any more.
 */
export const isFailedOverFor = (owner: CellId, failover: FailoverState, guest: Guest): boolean =>
  failover.phase === "failed_over" || mayActAsHost(owner, failover, guest);

/** Whether the standby still has something of the vehicle that its owner has not merged: what counts as a guest when a return is to end. */
export const isStaying = (owner: CellId, { record }: Guest): boolean =>
  record?.state === "guest" && record.owner === owner && !record.isReturned;

/** The vehicle has been admitted as a guest, in this term: an earlier stay is over, its return included. `epoch` is what its ticket, or the replica, says. */
export const welcome = (owner: CellId, term: number, epoch: number, { record }: Guest): Guest => ({
  record: { state: "guest", epoch: Math.max(epoch, record?.epoch ?? 0), owner, isReturned: false },
  stay: { term, isHandedOver: false },
});

/**
 * The owner asks for the vehicle in the term of its return. Service of a guest stops with it, on disk, before the data is given; asked again, it is given again.
 * Null: not in this term's return, ask later.
 */
export const handOver = (owner: CellId, failover: FailoverState, term: number, guest: Guest): Guest | null => {
  if (failover.phase !== "returning" || failover.term !== term) return null;
  return isStaying(owner, guest) ? { record: guest.record, stay: { term, isHandedOver: true } } : guest;
};

/** The owner has merged and stored what was handed over in this term: from now on the guest is sent to it. A word about an earlier stay changes nothing. */
export const bidFarewell = (guest: Guest, term: number): Guest => {
  const { record, stay } = guest;
  if (record?.state !== "guest" || stay?.term !== term || !stay.isHandedOver) return guest;
  return { record: { ...record, isReturned: true }, stay };
};
