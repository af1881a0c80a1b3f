import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "./deps.ts";
import type { LedgerPort } from "./ledger/port.ts";
import { sha256Hex } from "./services/secrets.ts";
import { findIdempotencyKey, type IdempotencyRow, insertIdempotencyKey } from "./store/idempotency-keys.ts";

/** One call that its caller may repeat. */
export type KeyedCall = {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly key: string;
  readonly body: unknown;
  /** The status of the first answer, and so of every repeated one. */
  readonly status: number;
};

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Answers are sealed under a key that the database does not have: they may hold a secret that is shown once. */
const sealingKeyOf = (deps: Deps, call: KeyedCall): Buffer =>
  createHmac("sha256", deps.config.peppers[0].secret).update(`idempotency/${call.actor}/${call.key}`).digest();

const seal = (key: Buffer, answer: unknown): string => {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(answer), "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
};

const unseal = (key: Buffer, text: string): unknown => {
  const bytes = Buffer.from(text, "base64url");
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const rest = bytes.subarray(IV_BYTES + TAG_BYTES);
  return JSON.parse(Buffer.concat([decipher.update(rest), decipher.final()]).toString());
};

const replay = (deps: Deps, call: KeyedCall, row: IdempotencyRow, fingerprint: string): Response => {
  if (row.fingerprint !== fingerprint) {
    throw new AppError("idempotency_key_reused", "the Idempotency-Key was used with another body");
  }
  const headers = { "Cache-Control": "no-store", "Idempotent-Replayed": "true" };
  return Response.json(unseal(sealingKeyOf(deps, call), row.answer), { status: call.status, headers });
};

/** A ledger that stores the answer in the batch of the change itself: there is never the one without the other. */
const remembering = (ledger: LedgerPort, rowOf: (answer: unknown) => IdempotencyRow): LedgerPort => ({
  ...ledger,
  write: (statements, { answer, ...said } = {}) =>
    ledger.write(answer === undefined ? statements : [...statements, insertIdempotencyKey(rowOf(answer))], said),
});

/** Answers a creating call; its repetition, at once or within a day, is answered the same and creates nothing. */
export const answerOnce = async (deps: Deps, call: KeyedCall, run: (deps: Deps) => Promise<Response>): Promise<Response> => {
  const id = sha256Hex(JSON.stringify([call.actor, call.action, call.target, call.key]));
  const fingerprint = sha256Hex(JSON.stringify(call.body ?? null));
  const known = await findIdempotencyKey(deps.database, id);
  if (known !== null) return replay(deps, call, known, fingerprint);
  const rowOf = (answer: unknown): IdempotencyRow => ({
    id,
    fingerprint,
    answer: seal(sealingKeyOf(deps, call), answer),
    createdAt: deps.clock(),
  });
  try {
    return await run({ ...deps, ledger: remembering(deps.ledger, rowOf) });
  } catch (error) {
    // Stored meanwhile by the same call, or by this one although the database's answer was lost.
    const meanwhile = error instanceof AppError ? await findIdempotencyKey(deps.database, id) : null;
    if (meanwhile === null) throw error;
    return replay(deps, call, meanwhile, fingerprint);
  }
};
