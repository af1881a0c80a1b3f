import type { Credential } from "./admission.ts";
import type { CellId } from "./cell.ts";
import type { FailoverState } from "./failover.ts";
import { type Guest, mayActAsHost } from "./guest.ts";
import { mayActAsOwner, type Standing } from "./standing.ts";

/** What decides whether a cell serves one vehicle at this moment. */
export type ServiceFacts = {
  readonly standing: Standing;
  /** The last term whose guest data the cell has merged for this vehicle as its owner, 0 for none. */
  readonly homeTerm: number;
  readonly guest: Guest;
  /** What this cell knows of a cell whose standby it is. */
  readonly failoverOf: (owner: CellId) => FailoverState;
};

/**
 * Whether the cell may acknowledge what the vehicle sends and deliver to it: as its owner, or as the host of a guest. Asked before every acknowledgement and
 * delivery, not at admission alone: a session outlives a lock, a pause and a hand-over, waiting.
 */
export const mayServe = ({ standing, homeTerm, guest, failoverOf }: ServiceFacts): boolean => {
  const { record } = guest;
  if (standing.mode === "asking") return false;
  if (record?.state === "owned") return mayActAsOwner(standing, homeTerm);
  return record?.state === "guest" && mayActAsHost(record.owner, failoverOf(record.owner), guest);
};

/**
 * `isTableComplete` of the admission table (row 4) for one vehicle: what the cell would do as its owner waits until it may act as one; all else, only for
 * control's first answer.
 */
export const isTableComplete = (self: CellId, { standing, homeTerm, guest }: ServiceFacts, credential: Credential): boolean => {
  const { record } = guest;
  const isNewsForSelf = credential.kind === "ticket" && credential.cell === self && credential.epoch > (record?.epoch ?? 0);
  if (isNewsForSelf || record?.state === "owned") return mayActAsOwner(standing, homeTerm);
  return standing.mode !== "asking";
};
