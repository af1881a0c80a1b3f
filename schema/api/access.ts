import * as z from "zod";
import { OPERATOR_ROLES } from "#schema/domain/role.ts";
import { TimeField } from "./fields.ts";

const ScopeField = z.string().regex(/^[a-z][a-z-]{1,31}$/, "a scope is a resource of this API: the first segment of its path below /v1");

/** Body of `POST /v1/api-tokens`. */
export const ApiTokenRequest = z
  .object({
    name: z.string().min(1).max(64),
    /** At most the caller's own. */
    role: z.enum(OPERATOR_ROLES),
    /** Resources that the token reaches, such as `vehicles`; empty: all. */
    scopes: z.array(ScopeField).max(32).default([]),
    expiresInSeconds: z
      .int()
      .min(60)
      .max(366 * 24 * 3600)
      .default(90 * 24 * 3600),
  })
  .strict();
export type ApiTokenRequest = z.infer<typeof ApiTokenRequest>;

/** An API token as the API shows it, without the token itself. */
export const ApiToken = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(OPERATOR_ROLES),
  scopes: z.array(z.string()),
  createdBy: z.string(),
  createdAt: TimeField,
  expiresAt: TimeField,
  revokedAt: TimeField.nullable(),
});
export type ApiToken = z.infer<typeof ApiToken>;

/** Answer of `POST /v1/api-tokens`: the token is shown once. */
export const ApiTokenAnswer = ApiToken.extend({ token: z.string() });
export type ApiTokenAnswer = z.infer<typeof ApiTokenAnswer>;

/** One change. `target` names vehicles by vinKey: the audit outlives them. */
export const AuditEntry = z.object({
  seq: z.int(),
  at: TimeField,
  actor: z.string(),
  requestId: z.string(),
  /** Method and path of the operation. */
  action: z.string(),
  target: z.string(),
  before: z.unknown(),
  after: z.unknown(),
  /** SHA-256 over this entry and the hash of the one before. */
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Answer of `GET /v1/audit/verify`: one bounded stretch of the chain. Keep `head` elsewhere: it witnesses all that came before. */
export const AuditVerdict = z.object({
  isIntact: z.boolean(),
  entries: z.int(),
  /** The first entry that does not fit the one before it. */
  brokenAt: z.int().nullable(),
  head: z.object({ seq: z.int(), hash: z.string() }),
  /** Null when the end of the chain was reached. */
  cursor: z.string().nullable(),
});
export type AuditVerdict = z.infer<typeof AuditVerdict>;
