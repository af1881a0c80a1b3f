import type { GuestsEntry } from "#schema/api/failover.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advanceFailover, mayEndReturn } from "#schema/domain/failover.ts";
import type { Deps } from "../deps.ts";
import { advanceFailoverRow, findFailover } from "../store/failovers.ts";
import { toError } from "./commit.ts";

/** What a standby says of its guests: the return of a cell none of whose vehicles is left there has ended. */
export const takeGuestReports = async (deps: Deps, from: CellId, entries: readonly GuestsEntry[]): Promise<void> => {
  for (const { cell, term, guests } of entries) {
    const { state } = await findFailover(deps.database, cell);
    if (state.standby !== from || !mayEndReturn(state, { term, guests })) continue;
    const after = advanceFailover(state, { kind: "return_ended" });
    if (after === null) continue;
    const outcome = await deps.ledger.write(advanceFailoverRow(cell, state, after, deps.clock()));
    if (outcome.kind === "refused" && outcome.code !== "conflict") throw toError(outcome);
    deps.logger.info("return ended", { cell, standby: from, term });
  }
};
