import * as z from "zod";
import { OWNER_ROLES } from "#schema/domain/command.ts";
import { TimeField, VinField, VinKeyField } from "./fields.ts";

/** The `sub` of somebody's access tokens. */
export const SubjectField = z.string().regex(/^[\x21-\x7e]{1,128}$/, "a subject has 1 to 128 visible ASCII characters");

/** Body of `PUT /v1/vehicles/{vin}/grants/{subject}`. */
export const GrantRequest = z.object({ role: z.enum(OWNER_ROLES) }).strict();
export type GrantRequest = z.infer<typeof GrantRequest>;

/** What somebody may do with a vehicle; a revoked one is shown for as long as cells must know of it. */
export const Grant = z.object({
  vin: VinField,
  subject: z.string(),
  role: z.enum(OWNER_ROLES),
  updatedAt: TimeField,
  revokedAt: TimeField.nullable(),
});
export type Grant = z.infer<typeof Grant>;

/**
 * One grant as a cell learns it. It goes over what an access token says of this vehicle: with a role the subject has that role, with null
 * none. Without an entry the token's word holds. A null entry may be forgotten after a day: no token from before it is left.
 */
export const GrantChange = z.object({ vinKey: VinKeyField, vin: VinField, subject: z.string(), role: z.enum(OWNER_ROLES).nullable() });
export type GrantChange = z.infer<typeof GrantChange>;

/** Grants of the vehicles that a cell owns: pages of a snapshot without a cursor, which replace all that it held, then increments. */
export const GrantPage = z.object({
  items: z.array(GrantChange),
  /** To be stored with the items, in one transaction, and sent as `grantsCursor` next time. */
  cursor: z.string(),
  hasMore: z.boolean(),
  isSnapshot: z.boolean(),
});
export type GrantPage = z.infer<typeof GrantPage>;
