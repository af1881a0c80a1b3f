import { advance } from "#schema/domain/move.ts";
import { openAlert, resolveAlert } from "../store/alerts.ts";
import { reassignAll } from "../store/assignments.ts";
import { updateCell } from "../store/cells.ts";
import { listSeized, type Seized } from "../store/failovers.ts";
import { advanceMoves } from "../store/move-writes.ts";
import { listUnlocking, toMove } from "../store/moves.ts";
import type { LoopDeps } from "./port.ts";

const AT_ONCE = 2_000;
const STUCK = "seizure_stuck";

/** The lock of a source that is gone for good holds nothing any more. */
const releaseLocks = async ({ database, write, clock }: LoopDeps, { cell }: Seized): Promise<void> => {
  const transitions = (await listUnlocking(database, cell, AT_ONCE)).flatMap((row) => {
    const before = toMove(row);
    const after = advance(before, { kind: "released" });
    return after === null ? [] : [{ before, after }];
  });
  if (transitions.length > 0) await write([advanceMoves(transitions, clock())]);
};

const giveOver = async ({ write, clock, logger }: LoopDeps, { cell, standby, assigned, version }: Seized): Promise<void> => {
  const now = clock();
  if (assigned === 0) {
    await write([...updateCell(cell, version, { state: "retired", standby: null }), resolveAlert(STUCK, cell, now)]);
    logger.info("seized cell retired", { cell });
    return;
  }
  const outcome = await write([reassignAll(cell, standby, AT_ONCE, now)]);
  const given = outcome.kind === "written" ? outcome.results?.[0]?.rowsAffected : undefined;
  if (given !== 0) return;
  const detail = `${assigned} vehicles wait: ${standby} has no room for them or is not open`;
  await write([openAlert({ kind: STUCK, subject: cell, severity: "critical", detail }, now)]);
};

/** Gives the vehicles of seized cells to their standbys, so many a turn, and retires the cells when they are empty. */
export const finishSeizures = async (deps: LoopDeps): Promise<void> => {
  for (const seized of await listSeized(deps.database)) {
    await releaseLocks(deps, seized);
    await giveOver(deps, seized);
  }
};
