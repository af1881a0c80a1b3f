import type { CellId } from "./cell.ts";
import type { Vin } from "./vin.ts";

/** What a cell holds on disk about a vehicle. `guest` names the owner it stands in for. */
export type VehicleRecord =
  | { readonly state: "owned" | "locked" | "copied"; readonly epoch: number }
  | { readonly state: "moved"; readonly epoch: number; readonly movedTo: CellId }
  | { readonly state: "guest"; readonly epoch: number; readonly owner: CellId; readonly isReturned: boolean };

/** A verified credential. `expired` device credentials are unverifiable; an expired ticket is still evidence of its epoch. */
export type Credential =
  | { readonly kind: "unverifiable"; readonly isKeyUnknown: boolean }
  | { readonly kind: "device"; readonly vin: Vin }
  | {
      readonly kind: "ticket";
      readonly vin: Vin;
      readonly cell: CellId;
      readonly epoch: number;
      readonly isFailover: boolean;
      readonly isExpired: boolean;
    };

/** Everything that admission depends on. */
export type AdmissionFacts = {
  readonly self: CellId;
  readonly isOverBudget: boolean;
  /** The VIN that the client claims by its MQTT client id and user name, when both agree; else null. HTTP callers repeat the path's. */
  readonly claimedVin: string | null;
  readonly credential: Credential;
  readonly record: VehicleRecord | null;
  /** False from start-up or a long pause until the first complete sync, or until control has been silent for 10 s. */
  readonly isTableComplete: boolean;
  /** Cells for which this cell is the standby. */
  readonly standbyFor: readonly CellId[];
  /** Those of them that this cell knows to be failed over. */
  readonly failedOver: readonly CellId[];
  /** The cells of `standbyFor` whose replica lists this VIN. */
  readonly replicas: readonly CellId[];
};

export const REFUSALS = ["over_budget", "bad_credential", "wrong_identity", "busy", "moved", "use_another", "resolve_first"] as const;
export type Refusal = (typeof REFUSALS)[number];

/** `learn` must be on disk before the answer is given. `row` is the row of the admission table (design §4.3). */
export type Admission =
  | {
      readonly kind: "admit";
      readonly row: number;
      readonly as: "owner" | "guest";
      readonly learn: { readonly state: "owned"; readonly epoch: number } | null;
      /** The failed-over owner of a guest. */
      readonly guestOf: CellId | null;
    }
  | {
      readonly kind: "refuse";
      readonly row: number;
      readonly refusal: Refusal;
      readonly detail: string;
      readonly reference: CellId | null;
      readonly learn:
        | { readonly state: "moved"; readonly epoch: number; readonly movedTo: CellId }
        | { readonly state: "locked"; readonly epoch: number }
        | null;
    };

export type Refused = Extract<Admission, { kind: "refuse" }>;

const refuse = (row: number, refusal: Refusal, detail: string, more: Partial<Pick<Refused, "reference" | "learn">> = {}): Admission => ({
  kind: "refuse",
  row,
  refusal,
  detail,
  reference: null,
  learn: null,
  ...more,
});

const admitOwner = (row: number, learntEpoch: number | null): Admission => ({
  kind: "admit",
  row,
  as: "owner",
  learn: learntEpoch === null ? null : { state: "owned", epoch: learntEpoch },
  guestOf: null,
});

/** The owner that the record names when it is another cell: of a guest, or of a vehicle that moved away. */
const ownerElsewhere = (record: VehicleRecord | null): CellId | null => {
  if (record?.state === "guest") return record.owner;
  return record?.state === "moved" ? record.movedTo : null;
};

/** The cell whose guest this vehicle may be here: by its ticket, by a replica that lists it, or by the record. A cell may stand in for one that its vehicles moved to. */
const guestOwner = (facts: AdmissionFacts, among: readonly CellId[]): CellId | null => {
  const { credential, record } = facts;
  const recorded = ownerElsewhere(record);
  if (record !== null && recorded === null) return null;
  if (credential.kind === "unverifiable" || (credential.kind === "ticket" && credential.isExpired)) return null;
  if (credential.kind === "ticket") {
    const owner = recorded !== null && (record?.epoch ?? 0) > credential.epoch ? recorded : credential.cell;
    return among.includes(owner) ? owner : null;
  }
  if (recorded !== null && among.includes(recorded)) return recorded;
  if (record?.state === "moved") return null;
  return among.find((cell) => facts.replicas.includes(cell)) ?? null;
};

/**
 * Evidence that the vehicle belongs elsewhere at an epoch newer than the record's (row 5), even from an expired ticket. A newer epoch of the owner whose guest
 * it is tells nothing of the kind: what it wrote here has still to return (row 12).
 */
const newsOfAnotherOwner = (facts: AdmissionFacts) => {
  const { credential, record } = facts;
  if (credential.kind !== "ticket" || record === null) return null;
  if (credential.epoch <= record.epoch || credential.cell === facts.self) return null;
  if (record.state === "guest" && record.owner === credential.cell) return null;
  return guestOwner(facts, facts.failedOver) === null ? credential : null;
};

const isUnusable = (facts: AdmissionFacts): boolean => {
  const { credential } = facts;
  if (credential.kind === "unverifiable") return true;
  return credential.kind === "ticket" && credential.isExpired && newsOfAnotherOwner(facts) === null;
};

type Row = (facts: AdmissionFacts) => Admission | null;

const overBudget: Row = (facts) => (facts.isOverBudget ? refuse(1, "over_budget", "connect budget of the cell is used up") : null);

const unverifiable: Row = (facts) => {
  if (!isUnusable(facts)) return null;
  const isKeyUnknown = facts.credential.kind === "unverifiable" && facts.credential.isKeyUnknown;
  return refuse(2, "bad_credential", isKeyUnknown ? "present device credential" : "credential is not valid, expired or revoked");
};

const wrongIdentity: Row = ({ credential, claimedVin }) =>
  credential.kind !== "unverifiable" && credential.vin === claimedVin
    ? null
    : refuse(3, "wrong_identity", "client id and user name must be the VIN of the credential");

const tableIncomplete: Row = (facts) => (facts.isTableComplete ? null : refuse(4, "busy", "the cell is starting"));

const ownedElsewhere: Row = (facts) => {
  const news = newsOfAnotherOwner(facts);
  if (news === null) return null;
  const learn = { state: "moved", epoch: news.epoch, movedTo: news.cell } as const;
  return refuse(5, "moved", "moved to another cell", { reference: news.cell, learn });
};

const newerEpochHere: Row = ({ credential, record, self }) => {
  if (credential.kind !== "ticket" || credential.isExpired || credential.cell !== self) return null;
  if (record !== null && credential.epoch <= record.epoch) return null;
  if (record?.state === "locked") {
    return refuse(6, "busy", "the vehicle is being moved", { learn: { state: "locked", epoch: credential.epoch } });
  }
  return admitOwner(6, credential.epoch);
};

const inMove: Row = ({ record }) =>
  record?.state === "locked" || record?.state === "copied" ? refuse(7, "busy", "the vehicle is being moved") : null;

const owned: Row = ({ record }) => (record?.state === "owned" ? admitOwner(8, null) : null);

/** A cell that the vehicle moved to and that this one stands in for is looked at below: row 10, or row 11 while its failover is not known here. */
const movedAway: Row = (facts) => {
  const { record } = facts;
  if (record?.state !== "moved" || guest(facts) !== null || failoverNotYetKnown(facts) !== null) return null;
  return refuse(9, "moved", "moved to another cell", { reference: record.movedTo });
};

const guest: Row = (facts) => {
  const owner = guestOwner(facts, facts.failedOver);
  return owner === null ? null : { kind: "admit", row: 10, as: "guest", learn: null, guestOf: owner };
};

const failoverNotYetKnown: Row = (facts) => {
  const { credential } = facts;
  if (credential.kind !== "ticket" || !credential.isFailover) return null;
  return guestOwner(facts, facts.standbyFor) === null ? null : refuse(11, "busy", "failover not yet confirmed here");
};

const guestReturning: Row = ({ record, failedOver }) => {
  if (record?.state !== "guest" || failedOver.includes(record.owner)) return null;
  if (!record.isReturned) return refuse(12, "busy", "the vehicle is returning to its cell");
  return refuse(12, "use_another", "the vehicle's cell serves again", { reference: record.owner });
};

const stranger = ({ credential, self }: AdmissionFacts): Admission => {
  const reference = credential.kind === "ticket" && credential.cell !== self ? credential.cell : null;
  if (reference === null) return refuse(13, "resolve_first", "resolve first");
  return refuse(13, "use_another", "another cell serves this vehicle", { reference });
};

/** The admission table of design §4.3, in order. */
const ROWS: readonly Row[] = [
  overBudget,
  unverifiable,
  wrongIdentity,
  tableIncomplete,
  ownedElsewhere,
  newerEpochHere,
  inMove,
  owned,
  movedAway,
  guest,
  failoverNotYetKnown,
  guestReturning,
];

/** Decides whether a vehicle may connect here: the first row of design §4.3 that fits wins; total over all facts. */
export const admit = (facts: AdmissionFacts): Admission => {
  for (const row of ROWS) {
    const admission = row(facts);
    if (admission !== null) return admission;
  }
  return stranger(facts);
};
