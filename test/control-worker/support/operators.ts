import { createHash, randomUUID } from "node:crypto";
import type { OperatorRole } from "#schema/domain/role.ts";
import type { Control } from "./control.ts";

type Token = { role: OperatorRole; scopes?: readonly string[]; expiresAt?: number };

/** An API token of this role, without the ceremony. */
export const addApiToken = async (control: Control, { role, scopes = [], expiresAt }: Token): Promise<string> => {
  const token = `clv_${randomUUID()}`;
  await control.database.sql(
    "insert into api_tokens (id, token_hash, name, role, scopes, created_by, created_at, expires_at) values (?, ?, 'test', ?, ?, 'test', 1, ?)",
    randomUUID(),
    createHash("sha256").update(token).digest("hex"),
    role,
    JSON.stringify(scopes),
    expiresAt ?? control.clock.now + 3_600_000,
  );
  return token;
};
