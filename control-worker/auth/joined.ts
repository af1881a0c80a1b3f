import { AppError } from "#schema/api/error.ts";
import { claimedCallerOf, verifyAssertion } from "#schema/crypto/assertion.ts";
import { createKeyRing, type KeyRing } from "#schema/crypto/keys.ts";
import { parseCellId } from "#schema/domain/cell.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { findCell } from "../store/cells.ts";
import { findFailover } from "../store/failovers.ts";
import { findPop } from "../store/pops.ts";
import type { JoinedCaller } from "./caller.ts";

const CLOCK_FAULTS: readonly string[] = ["expired", "not_yet_valid"];
/** A removed key is honoured for no longer than this. */
const KEY_TTL_MS = 5_000;
const MAX_KEYS = 10_000;

type CachedKeys = { readonly keys: KeyRing; readonly until: number };
const cache = new Map<string, CachedKeys>();

const loadKey = async (deps: Deps, { kind, id }: JoinedCaller): Promise<{ readonly publicKey: PublicJwk } | null> => {
  if (kind === "pop") return findPop(deps.database, id);
  const cell = await findCell(deps.database, id);
  const isGone = cell?.state === "retired" || (await findFailover(deps.database, id)).seizedAt !== null;
  return isGone ? null : cell;
};

const keysOf = async (deps: Deps, caller: JoinedCaller): Promise<KeyRing | null> => {
  const name = `${deps.config.databaseUrl} ${caller.kind} ${caller.id}`;
  const now = deps.clock();
  const known = cache.get(name);
  if (known !== undefined && known.until > now && known.until <= now + KEY_TTL_MS) return known.keys;
  const row = await loadKey(deps, caller);
  if (row === null) return null;
  const keys = createKeyRing([row.publicKey]);
  if (cache.size >= MAX_KEYS) cache.clear();
  cache.set(name, { keys, until: now + KEY_TTL_MS });
  return keys;
};

/** The cell or POP that signed this assertion; null when none of that id is known. Throws when the signature or the clock is off. */
export const verifyJoined = async (deps: Deps, kind: JoinedCaller["kind"], token: string): Promise<JoinedCaller | null> => {
  const id = parseCellId(claimedCallerOf(token));
  if (id === null) return null;
  const keys = await keysOf(deps, { kind, id });
  if (keys === null) return null;
  const now = deps.clock();
  const verdict = await verifyAssertion(token, { keys, id, nowMs: now });
  if (verdict.kind === "verified") return { kind, id };
  const isClockOff = CLOCK_FAULTS.includes(verdict.fault);
  if (isClockOff && kind === "cell") await deps.ledger.heard(id);
  if (isClockOff) throw new AppError("clock_skew", `${verdict.detail}: correct the clock with now`, { now });
  throw new AppError("unauthenticated", verdict.detail);
};
