import type { Pop, PopRegistration } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import type { Deps } from "../deps.ts";
import { useJoinToken } from "../store/join-tokens.ts";
import { findPop, insertPop } from "../store/pops.ts";
import { checkJoinToken } from "./check-join-token.ts";
import { commit, type Plan } from "./commit.ts";
import { toPop } from "./pop-view.ts";

const planRegistration = async (deps: Deps, registration: PopRegistration): Promise<Plan> => {
  const { token, thumbprint, isRepeat } = await checkJoinToken(deps, "pop", registration);
  const { id, publicKey } = registration;
  const known = await findPop(deps.database, id);
  if (isRepeat && known !== null) return { statements: [] };
  if (known !== null || isRepeat) throw new AppError("conflict", "the POP's id is taken, or the POP was removed");
  return {
    statements: [...useJoinToken(token.id, { id, thumbprint }), insertPop({ id, publicKey, createdAt: deps.clock() })],
    changes: [{ target: `pop/${id}`, before: null, after: { id, publicKey, joinTokenId: token.id } }],
  };
};

/** Registers a POP's key under a join token; repeated with the same token and key it answers the same again. */
export const registerPop = async (deps: Deps, registration: PopRegistration): Promise<{ pop: Pop; isNew: boolean }> => {
  let isNew = false;
  await commit(deps.ledger, async () => {
    const plan = await planRegistration(deps, registration);
    isNew = plan.statements.length > 0;
    return plan;
  });
  const pop = await findPop(deps.database, registration.id);
  if (pop === null) throw new AppError("conflict", "the POP was removed");
  return { pop: toPop(pop), isNew };
};
