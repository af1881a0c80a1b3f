import { listEmptied, updateCell } from "../store/cells.ts";
import type { LoopDeps } from "./port.ts";

/** A draining cell that owns nothing and has no part in a move is drained. */
export const finishDrains = async ({ database, write, logger }: LoopDeps): Promise<void> => {
  for (const { id, version } of await listEmptied(database)) {
    const outcome = await write(updateCell(id, version, { state: "drained" }));
    if (outcome.kind === "written") logger.info("cell drained", { cell: id });
  }
};
