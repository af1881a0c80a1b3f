import type { Pop } from "#schema/api/cells.ts";
import { AppError } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { deletePop, findPop } from "../store/pops.ts";
import { commit } from "./commit.ts";
import { toPop } from "./pop-view.ts";

/** Ends a POP's key: its calls are refused within seconds, its tickets once the cells have the next topology. Its join token never works again. */
export const removePop = async (deps: Deps, id: CellId): Promise<Pop> => {
  const row = await findPop(deps.database, id);
  if (row === null) throw new AppError("not_found", "there is no such POP");
  const pop = toPop(row);
  const changes = [{ target: `pop/${id}`, before: { ...pop, publicKey: row.publicKey }, after: null }];
  await commit(deps.ledger, async () => ({ statements: [deletePop(id)], changes }));
  deps.logger.info("POP removed", { pop: id });
  return pop;
};
