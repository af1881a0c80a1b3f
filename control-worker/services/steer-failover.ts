import { AppError } from "#schema/api/error.ts";
import type { Failover, FailoverRequest } from "#schema/api/failover.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advanceFailover, type FailoverState } from "#schema/domain/failover.ts";
import { decideFailover, type FailoverPolicy, mayBeginReturn } from "#schema/domain/failover-decision.ts";
import type { Deps } from "../deps.ts";
import { factsOf, sceneOf, toFailoverCell } from "../failover-facts.ts";
import { resolveAlert } from "../store/alerts.ts";
import { listCells } from "../store/cells.ts";
import { advanceFailoverRow, findFailover, listFailovers, setFailoverPolicy } from "../store/failovers.ts";
import { commit, type Plan } from "./commit.ts";
import { toFailover } from "./failover-view.ts";
import { requireCell } from "./require.ts";

export const readFailover = async (deps: Deps, id: CellId): Promise<Failover> => {
  await requireCell(deps, id);
  return toFailover(id, await findFailover(deps.database, id));
};

const planStep = (id: CellId, before: FailoverState, after: FailoverState | null, now: number): Plan => {
  if (after === null) throw new AppError("conflict", `the cell is ${before.phase.replace("_", " ")}, in term ${before.term}`);
  const statements = [...advanceFailoverRow(id, before, after, now), resolveAlert("failover_held", id, now)];
  return { statements, changes: [{ target: `cell/${id}`, before, after }] };
};

const planFailover = async (deps: Deps, id: CellId, { standby, force }: FailoverRequest): Promise<readonly [] | Plan> => {
  const row = await requireCell(deps, id);
  if (standby !== undefined) await requireCell(deps, standby);
  const now = deps.clock();
  const scene = await sceneOf(deps.database, await listCells(deps.database), await listFailovers(deps.database), now);
  const facts = factsOf(scene, row, { isForced: force || row.health === "down", standby });
  const decision = decideFailover(facts);
  if (decision.kind === "none" && decision.reason === "already_failed_over") return [];
  if (decision.kind !== "declare") throw new AppError("conflict", `no failover: ${decision.reason.replaceAll("_", " ")}`);
  const before = facts.cell.failover;
  return planStep(id, before, advanceFailover(before, { kind: "declared", standby: decision.standby }), now);
};

/** An operator gives a cell up to its standby, or to another cell of its zone: one topology write, and no assignment changes. */
export const failOver = async (deps: Deps, id: CellId, request: FailoverRequest): Promise<Failover> => {
  await commit(deps.ledger, () => planFailover(deps, id, request));
  const failover = await readFailover(deps, id);
  deps.logger.warn("cell failed over by an operator", failover);
  return failover;
};

const planReturn = async (deps: Deps, id: CellId): Promise<readonly [] | Plan> => {
  const row = await requireCell(deps, id);
  const now = deps.clock();
  const record = await findFailover(deps.database, id);
  if (record.state.phase === "returning") return [];
  const healthySince = row.health === "healthy" ? now : null;
  const facts = { cell: toFailoverCell(row, record), isForced: true, policy: record.policy, healthySince, nowMs: now };
  if (!mayBeginReturn(facts))
    throw new AppError("conflict", `no return: the cell is ${record.state.phase.replace("_", " ")} and ${row.health}`);
  return planStep(id, record.state, advanceFailover(record.state, { kind: "return_begun" }), now);
};

/** An operator lets the vehicles of a failed-over cell come home; it ends when the standby has no guest of it any more. */
export const beginReturn = async (deps: Deps, id: CellId): Promise<Failover> => {
  await commit(deps.ledger, () => planReturn(deps, id));
  return readFailover(deps, id);
};

/** Lets control decide about a cell's failover, holds it for an operator, or forbids it. */
export const changeFailoverPolicy = async (deps: Deps, id: CellId, policy: FailoverPolicy): Promise<Failover> => {
  await commit(deps.ledger, async () => {
    await requireCell(deps, id);
    const { policy: before } = await findFailover(deps.database, id);
    return before === policy
      ? []
      : { statements: [setFailoverPolicy(id, policy)], changes: [{ target: `cell/${id}`, before: { policy: before }, after: { policy } }] };
  });
  return readFailover(deps, id);
};
