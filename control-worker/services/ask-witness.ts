import type { SyncAnswer } from "#schema/api/sync.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { needsWitness, witnessesOf } from "#schema/domain/witness.ts";
import type { Deps } from "../deps.ts";
import { listCells } from "../store/cells.ts";

/** The cells that this one is asked to try, because control has not heard of them. */
export const askWitness = async (deps: Deps, witness: CellId): Promise<SyncAnswer["desired"]["probe"]> => {
  const cells = await listCells(deps.database);
  return cells
    .filter((subject) => needsWitness(subject) && witnessesOf(subject, cells).includes(witness))
    .map(({ id, endpoints }) => ({ cell: id, https: endpoints.https }));
};
