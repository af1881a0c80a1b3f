import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { OPERATOR_ROLES } from "#schema/domain/role.ts";

/** API tokens of people and of programs. */
export const apiTokens = sqliteTable("api_tokens", {
  id: text().primaryKey(),
  /** SHA-256, hex: the token itself is shown once and never stored. */
  tokenHash: text("token_hash").notNull().unique(),
  name: text().notNull(),
  role: text({ enum: OPERATOR_ROLES }).notNull(),
  /** The resources that it reaches: first path segments below /v1. Empty: all. */
  scopes: text({ mode: "json" }).$type<string[]>().notNull(),
  createdBy: text("created_by").notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  revokedAt: integer("revoked_at"),
});

/** Who changed what. Triggers refuse every UPDATE and DELETE; `hash` covers the row and the hash before it. */
export const audit = sqliteTable("audit", {
  seq: integer().primaryKey(),
  at: integer().notNull(),
  actor: text().notNull(),
  requestId: text("request_id").notNull(),
  /** Method and path of the operation. */
  action: text().notNull(),
  /** What was changed: ids and vinKeys, never a VIN, since no row can be erased. */
  target: text().notNull(),
  /** JSON texts. */
  before: text().notNull(),
  after: text().notNull(),
  hash: text().notNull(),
});

/** Answers of creating calls, kept a day for those who repeat them. `answer` is sealed: it may hold a secret that is shown once. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** SHA-256 of caller, operation and key. */
    id: text().primaryKey(),
    /** SHA-256 of the body. */
    fingerprint: text().notNull(),
    answer: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("idempotency_keys_by_age").on(table.createdAt)],
);
