import { createHash } from "node:crypto";
import type { Grant } from "#schema/api/grants.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Change } from "../ledger/port.ts";
import type { GrantRow } from "../store/grants.ts";

export const toGrant = ({ vin, subject, role, updatedAt, revokedAt }: GrantRow): Grant => ({
  vin,
  subject,
  role,
  updatedAt: new Date(updatedAt).toISOString(),
  revokedAt: revokedAt === null ? null : new Date(revokedAt).toISOString(),
});

/** A change of a grant as the audit keeps it: the subject is a person, so only a hash of it bound to the vehicle stays. */
export const grantChangeOf = (vinKey: VinKey, subject: string, before: GrantRow | null, role: string | null): Change => {
  const person = createHash("sha256").update(`${vinKey}/${subject}`).digest("base64url").slice(0, 22);
  const held = before === null || before.revokedAt !== null ? null : { role: before.role };
  return { target: `vehicle/${vinKey}/grant/${person}`, before: held, after: role === null ? null : { role } };
};
