import { type FailoverCell, type FailoverFacts, HOLD_WINDOW_MS } from "#schema/domain/failover-decision.ts";
import type { CellRow } from "./store/cells.ts";
import type { Database } from "./store/database.ts";
import { type FailoverRecord, type FailoverRow, readWentDown, toRecord } from "./store/failovers.ts";

/** Everything about the fleet that a decision on failover takes into account. */
export type FailoverScene = {
  readonly cells: readonly CellRow[];
  readonly records: ReadonlyMap<string, FailoverRecord>;
  readonly wentDownAt: readonly number[];
  readonly nowMs: number;
};

export const sceneOf = async (
  database: Database,
  cells: readonly CellRow[],
  rows: readonly FailoverRow[],
  nowMs: number,
): Promise<FailoverScene> => ({
  cells,
  records: new Map(rows.map((row) => [row.cell, toRecord(row)])),
  wentDownAt: await readWentDown(database, nowMs - HOLD_WINDOW_MS),
  nowMs,
});

export const recordIn = (scene: FailoverScene, id: string): FailoverRecord => scene.records.get(id) ?? toRecord(null);

export const toFailoverCell = (row: CellRow, { state: failover }: FailoverRecord): FailoverCell => {
  const { id, zone, state, health } = row;
  return { id, zone, state, health, failover };
};

const isMember = ({ state }: CellRow): boolean => state === "active" || state === "draining";

/** The facts about one cell; a return that is under way is bound to the standby that has the vehicles. */
export const factsOf = (
  scene: FailoverScene,
  row: CellRow,
  wish: { readonly isForced: boolean; readonly standby?: string | undefined },
): FailoverFacts => {
  const record = recordIn(scene, row.id);
  const bound = record.state.phase === "returning" ? record.state.standby : null;
  const wanted = wish.standby ?? bound ?? row.standby;
  const standby = scene.cells.find(({ id }) => id === wanted && id !== row.id);
  return {
    cell: toFailoverCell(row, record),
    standby: standby === undefined ? null : toFailoverCell(standby, recordIn(scene, standby.id)),
    policy: record.policy,
    isForced: wish.isForced,
    isRecovering: false,
    cells: scene.cells.filter(isMember).length,
    wentDownAt: scene.wentDownAt,
    nowMs: scene.nowMs,
  };
};
