import type { Refused } from "#schema/domain/admission.ts";
import { REFUSAL_ANSWERS } from "#schema/domain/refusal.ts";
import type { AdmissionOutcome } from "../admission/admit-vehicle.ts";
import type { Presented } from "../admission/credentials.ts";
import { epochToTell, serverReferenceOf } from "../admission/reference.ts";
import type { World } from "../admission/world.ts";
import type { ConnackRefusal } from "./connack.ts";

/** A refusal of the admission table as a CONNACK. */
export const refusalOf = (admission: Refused, outcome: AdmissionOutcome, presented: Presented, world: World): ConnackRefusal => {
  const { reasonCode, returnCode, retryAfterMs } = REFUSAL_ANSWERS[admission.refusal];
  const epoch = epochToTell(admission, outcome, presented);
  return {
    reasonCode,
    returnCode,
    reason: admission.detail,
    reference: admission.reference === null ? null : serverReferenceOf(world, admission.reference),
    userProperties: {
      ...(epoch !== null && { epoch: String(epoch) }),
      ...(retryAfterMs !== null && { "retry-after-ms": String(retryAfterMs) }),
    },
  };
};

const plain = (reasonCode: number, returnCode: number, reason: string): ConnackRefusal => ({
  reasonCode,
  returnCode,
  reason,
  reference: null,
  userProperties: {},
});

/** Refusals that do not come from the admission table. */
export const REFUSALS_BEFORE = {
  malformed: plain(0x81, 2, "the CONNECT is malformed"),
  tooLarge: plain(0x95, 3, "the CONNECT is too large"),
  will: plain(0x87, 5, "the will topic is not one that this vehicle may publish to"),
  busy: { ...plain(0x88, 3, "the cell cannot take this right now"), userProperties: { "retry-after-ms": "2000" } },
} as const;
