import type { Pop, PopRegistration } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import { useJoinToken } from "../store/join-tokens.ts";
import { findPop, insertPop } from "../store/pops.ts";
import { checkJoinToken } from "./check-join-token.ts";
import { commit } from "./commit.ts";

/** Registers a POP's key under a join token; repeated with the same token and key it answers the same again. */
export const registerPop = async (deps: Deps, registration: PopRegistration): Promise<{ pop: Pop; isNew: boolean }> => {
  const { token, thumbprint, isRepeat } = await checkJoinToken(deps, "pop", registration);
  const known = await findPop(deps.database, registration.id);
  if (isRepeat && known !== null) return { pop: { id: known.id, createdAt: new Date(known.createdAt).toISOString() }, isNew: false };
  if (known !== null || isRepeat) throw new AppError("conflict", "the POP's id is taken, or the POP was removed");
  const { id, publicKey } = registration;
  const createdAt = deps.clock();
  await commit(deps.ledger, [...useJoinToken(token.id, { id, thumbprint }), insertPop({ id, publicKey, createdAt })]);
  return { pop: { id, createdAt: new Date(createdAt).toISOString() }, isNew: true };
};
