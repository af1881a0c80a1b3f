import { describe, expect, test } from "vitest";
import { type Admission, type AdmissionFacts, admit } from "#schema/domain/admission.ts";
import { REFUSAL_ANSWERS } from "#schema/domain/refusal.ts";
import { copied, factsOf, guest, locked, moved, owned, P, SELF, standingBy, standingIn, ticket, X } from "./admission-facts.ts";

/** An admission in a few words: row, answer (MQTT 5 / 3.1.1 / HTTP), reference and what is learnt. */
const say = (admission: Admission): string => {
  const { row, learn } = admission;
  const learnt = learn === null ? "" : `, learn ${learn.state} at ${learn.epoch}`;
  if (admission.kind === "admit") return `${row} ${admission.as}${admission.guestOf === null ? "" : ` of ${admission.guestOf}`}${learnt}`;
  const { reasonCode, returnCode, status } = REFUSAL_ANSWERS[admission.refusal];
  const reference = admission.reference === null ? "" : ` -> ${admission.reference}`;
  return `${row} 0x${reasonCode.toString(16).toUpperCase()}/${returnCode}/${status}${reference}${learnt}`;
};

type Row = readonly [why: string, facts: Partial<AdmissionFacts>, answer: string];

const overBudget: readonly Row[] = [
  [
    "over budget, credential not even looked at",
    { isOverBudget: true, credential: { kind: "unverifiable", isKeyUnknown: false } },
    "1 0x9F/3/503",
  ],
  ["over budget, own vehicle", { isOverBudget: true, record: owned(3) }, "1 0x9F/3/503"],
];

const badCredential: readonly Row[] = [
  ["not verifiable", { credential: { kind: "unverifiable", isKeyUnknown: false }, record: owned(3) }, "2 0x86/4/401"],
  ["key unknown", { credential: { kind: "unverifiable", isKeyUnknown: true } }, "2 0x86/4/401"],
  ["expired ticket of this cell, no news", { credential: ticket(SELF, 3, { isExpired: true }), record: owned(3) }, "2 0x86/4/401"],
  ["expired ticket of this cell, newer", { credential: ticket(SELF, 9, { isExpired: true }), record: owned(3) }, "2 0x86/4/401"],
  ["expired ticket of another cell, not newer", { credential: ticket(X, 3, { isExpired: true }), record: owned(3) }, "2 0x86/4/401"],
  ["expired ticket, no record", { credential: ticket(X, 3, { isExpired: true }) }, "2 0x86/4/401"],
  ["expired ticket of a failed-over cell", { ...standingIn, credential: ticket(P, 3, { isExpired: true }) }, "2 0x86/4/401"],
];

const wrongIdentity: readonly Row[] = [
  ["client id and user name disagree", { claimedVin: null, record: owned(3) }, "3 0x85/2/403"],
  ["claims another VIN", { claimedVin: "WVWZZZ1JZ3W386753", record: owned(3) }, "3 0x85/2/403"],
  ["another VIN with news for row 5", { claimedVin: "WVWZZZ1JZ3W386753", credential: ticket(X, 9), record: owned(3) }, "3 0x85/2/403"],
];

const incompleteTable: readonly Row[] = [
  ["starting, own vehicle", { isTableComplete: false, record: owned(3) }, "4 0x89/3/503"],
  ["starting, stranger", { isTableComplete: false }, "4 0x89/3/503"],
  ["starting, newer ticket for this cell", { isTableComplete: false, credential: ticket(SELF, 4), record: owned(3) }, "4 0x89/3/503"],
];

const ownedElsewhere: readonly Row[] = [
  ["owned, newer elsewhere", { credential: ticket(X, 4), record: owned(3) }, "5 0x9D/5/421 -> cell-x, learn moved at 4"],
  [
    "expired, yet newer elsewhere",
    { credential: ticket(X, 4, { isExpired: true }), record: owned(3) },
    "5 0x9D/5/421 -> cell-x, learn moved at 4",
  ],
  ["locked, newer elsewhere: the lock ends", { credential: ticket(X, 4), record: locked(3) }, "5 0x9D/5/421 -> cell-x, learn moved at 4"],
  ["copied, newer elsewhere", { credential: ticket(X, 4), record: copied(3) }, "5 0x9D/5/421 -> cell-x, learn moved at 4"],
  ["moved, and moved on", { credential: ticket(P, 5), record: moved(4) }, "5 0x9D/5/421 -> cell-p, learn moved at 5"],
  ["guest of P, newer at X", { ...standingIn, credential: ticket(X, 4), record: guest(3) }, "5 0x9D/5/421 -> cell-x, learn moved at 4"],
];

const newerHere: readonly Row[] = [
  ["no record", { credential: ticket(SELF, 1) }, "6 owner, learn owned at 1"],
  ["owned at an older epoch", { credential: ticket(SELF, 4), record: owned(3) }, "6 owner, learn owned at 4"],
  ["moved away and back", { credential: ticket(SELF, 5), record: moved(4) }, "6 owner, learn owned at 5"],
  ["copied, now switched", { credential: ticket(SELF, 5), record: copied(4) }, "6 owner, learn owned at 5"],
  ["guest becomes own", { ...standingIn, credential: ticket(SELF, 5), record: guest(4) }, "6 owner, learn owned at 5"],
  ["locked stays locked", { credential: ticket(SELF, 5), record: locked(4) }, "6 0x89/3/503, learn locked at 5"],
];

const inMove: readonly Row[] = [
  ["locked, device", { record: locked(3) }, "7 0x89/3/503"],
  ["locked, ticket of the same epoch", { credential: ticket(SELF, 3), record: locked(3) }, "7 0x89/3/503"],
  ["copied, ticket of the source", { credential: ticket(X, 3), record: copied(3) }, "7 0x89/3/503"],
];

const ownVehicles: readonly Row[] = [
  ["owned, device", { record: owned(3) }, "8 owner"],
  ["owned, ticket", { credential: ticket(SELF, 3), record: owned(3) }, "8 owner"],
  ["owned, ticket of an older owner", { credential: ticket(X, 2), record: owned(3) }, "8 owner"],
];

const movedAway: readonly Row[] = [
  ["moved, device", { record: moved(4) }, "9 0x9D/5/421 -> cell-x"],
  ["moved, ticket of before", { credential: ticket(SELF, 3), record: moved(4) }, "9 0x9D/5/421 -> cell-x"],
];

const guests: readonly Row[] = [
  ["no record, ticket of P", { ...standingIn, credential: ticket(P, 3) }, "10 guest of cell-p"],
  ["no record, failover ticket of P", { ...standingIn, credential: ticket(P, 3, { isFailover: true }) }, "10 guest of cell-p"],
  ["no record, device listed by P's replica", { ...standingIn, replicas: [P] }, "10 guest of cell-p"],
  ["guest, device", { ...standingIn, record: guest(3) }, "10 guest of cell-p"],
  ["guest, newer ticket of P", { ...standingIn, credential: ticket(P, 4), record: guest(3) }, "10 guest of cell-p"],
  ["guest, older ticket of another owner", { ...standingIn, credential: ticket(X, 2), record: guest(3) }, "10 guest of cell-p"],
];

const failoverUnknown: readonly Row[] = [
  ["failover ticket of P", { ...standingBy, credential: ticket(P, 3, { isFailover: true }) }, "11 0x89/3/503"],
  ["failover ticket of a cell it does not stand by", { credential: ticket(P, 3, { isFailover: true }) }, "13 0x9C/5/421 -> cell-p"],
];

const guestReturning: readonly Row[] = [
  ["P serves again, not yet returned", { ...standingBy, record: guest(3) }, "12 0x89/3/503"],
  ["P serves again, returned", { ...standingBy, record: guest(3, true) }, "12 0x9C/5/421 -> cell-p"],
  ["returned, with P's own ticket", { ...standingBy, credential: ticket(P, 3), record: guest(3, true) }, "12 0x9C/5/421 -> cell-p"],
];

const strangers: readonly Row[] = [
  ["device only", {}, "13 0x87/5/421"],
  ["device, P failed over but its replica does not list the VIN", standingIn, "13 0x87/5/421"],
  ["ticket of another cell", { credential: ticket(X, 3) }, "13 0x9C/5/421 -> cell-x"],
];

const TABLE = {
  "1 over the connect budget": overBudget,
  "2 not verifiable, revoked, or expired without news": badCredential,
  "3 the VIN is not the client id and user name": wrongIdentity,
  "4 the table is not known to be complete": incompleteTable,
  "5 I2: newer epoch at another cell": ownedElsewhere,
  "6 I2: newer epoch at this cell": newerHere,
  "7 locked or copied": inMove,
  "8 owned": ownVehicles,
  "9 moved": movedAway,
  "10 guest of a failed-over cell": guests,
  "11 failover not yet known": failoverUnknown,
  "12 the owner of a guest serves again": guestReturning,
  "13 stranger": strangers,
} satisfies Record<string, readonly Row[]>;

describe.each(Object.entries(TABLE))("admission row %s", (_, rows) => {
  test.each(rows)("%s", (_why, facts, answer) => {
    expect(say(admit(factsOf(facts)))).toBe(answer);
  });
});

test("an unknown key is told to present the device credential instead", () => {
  const admission = admit(factsOf({ credential: { kind: "unverifiable", isKeyUnknown: true } }));
  expect(admission).toMatchObject({ refusal: "bad_credential", detail: "present device credential" });
});

test("only refusals that a second try here can change say when to try again", () => {
  const withRetry = Object.entries(REFUSAL_ANSWERS).filter(([, { retryAfterMs }]) => retryAfterMs !== null);
  expect(withRetry.map(([refusal]) => refusal).sort()).toEqual(["busy", "over_budget"]);
});

test("the refusals as MQTT 5, MQTT 3.1.1 and HTTP say them", () => {
  const table = Object.entries(REFUSAL_ANSWERS).map(([refusal, { reasonCode, returnCode, status }]) => [
    refusal,
    reasonCode,
    returnCode,
    status,
  ]);
  expect(table).toEqual([
    ["over_budget", 0x9f, 3, 503],
    ["bad_credential", 0x86, 4, 401],
    ["wrong_identity", 0x85, 2, 403],
    ["busy", 0x89, 3, 503],
    ["moved", 0x9d, 5, 421],
    ["use_another", 0x9c, 5, 421],
    ["resolve_first", 0x87, 5, 421],
  ]);
});
