import type { Pop, PopRegistration } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import { useJoinToken } from "../store/join-tokens.ts";
import { findPop, insertPop } from "../store/pops.ts";
import type { Statement } from "../store/statement.ts";
import { checkJoinToken } from "./check-join-token.ts";
import { commit } from "./commit.ts";

const planRegistration = async (deps: Deps, registration: PopRegistration): Promise<readonly Statement[]> => {
  const { token, thumbprint, isRepeat } = await checkJoinToken(deps, "pop", registration);
  const { id, publicKey } = registration;
  const known = await findPop(deps.database, id);
  if (isRepeat && known !== null) return [];
  if (known !== null || isRepeat) throw new AppError("conflict", "the POP's id is taken, or the POP was removed");
  return [...useJoinToken(token.id, { id, thumbprint }), insertPop({ id, publicKey, createdAt: deps.clock() })];
};

/** Registers a POP's key under a join token; repeated with the same token and key it answers the same again. */
export const registerPop = async (deps: Deps, registration: PopRegistration): Promise<{ pop: Pop; isNew: boolean }> => {
  let isNew = false;
  await commit(deps.ledger, async () => {
    const statements = await planRegistration(deps, registration);
    isNew = statements.length > 0;
    return statements;
  });
  const pop = await findPop(deps.database, registration.id);
  if (pop === null) throw new AppError("conflict", "the POP was removed");
  return { pop: { id: pop.id, createdAt: new Date(pop.createdAt).toISOString() }, isNew };
};
