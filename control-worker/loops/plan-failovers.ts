import { type CellId, takesTraffic } from "#schema/domain/cell.ts";
import { advanceFailover } from "#schema/domain/failover.ts";
import { decideFailover, type FailoverDecision, mayBeginReturn } from "#schema/domain/failover-decision.ts";
import { type FailoverScene, factsOf, recordIn, sceneOf, toFailoverCell } from "../failover-facts.ts";
import { listOpenSubjects, openAlert, resolveAlert } from "../store/alerts.ts";
import type { CellRow } from "../store/cells.ts";
import { advanceFailoverRow, listFailovers } from "../store/failovers.ts";
import type { Statement } from "../store/statement.ts";
import type { LoopDeps } from "./port.ts";

const HELD = "failover_held";

const DETAILS: Readonly<Record<Extract<FailoverDecision, { kind: "hold" }>["reason"], string>> = {
  too_many_down: "several cells went down within 10 minutes, which looks like a fault of the observer: an operator decides",
  operator: "failover is held by an operator",
  recovering: "control is recovering from a restore",
  no_standby: "the cell has no standby",
  standby_in_other_zone: "the standby lies outside the cell's zone",
  standby_unfit: "the standby is not fit to take over",
};

type Turn = { readonly scene: FailoverScene; readonly held: ReadonlySet<string>; readonly now: number };

/** What becomes of a cell that is down: taken over by its standby, or held with an alert that asks a person. */
const onDown = (row: CellRow, { scene, held, now }: Turn): readonly Statement[] => {
  const decision = decideFailover(factsOf(scene, row, { isForced: false }));
  if (decision.kind === "none") return [];
  if (decision.kind === "hold") {
    const detail = DETAILS[decision.reason];
    return held.has(row.id) ? [] : [openAlert({ kind: HELD, subject: row.id, severity: "critical", detail }, now)];
  }
  const before = recordIn(scene, row.id).state;
  const after = advanceFailover(before, { kind: "declared", standby: decision.standby });
  return after === null ? [] : [...advanceFailoverRow(row.id, before, after, now), resolveAlert(HELD, row.id, now)];
};

type Wish = { readonly heardSince: (id: CellId) => number | null };

/** What becomes of a cell that is not down: its vehicles return when it is steadily back. */
const onUp = (row: CellRow, { scene, held, now }: Turn, { heardSince }: Wish): readonly Statement[] => {
  const resolved = held.has(row.id) && row.health === "healthy" ? [resolveAlert(HELD, row.id, now)] : [];
  const record = recordIn(scene, row.id);
  const healthySince = row.health === "healthy" ? heardSince(row.id) : null;
  const facts = { cell: toFailoverCell(row, record), isForced: false, policy: record.policy, healthySince, nowMs: now };
  const after = mayBeginReturn(facts) ? advanceFailover(record.state, { kind: "return_begun" }) : null;
  return after === null ? resolved : [...resolved, ...advanceFailoverRow(row.id, record.state, after, now)];
};

/** What is to be written so that cells that are down are given up to their standbys, and vehicles return to cells that are back. */
export const planFailovers = async (
  { database, clock }: LoopDeps,
  cells: readonly CellRow[],
  seen: Wish & { readonly newlyDown: number },
): Promise<readonly Statement[]> => {
  const now = clock();
  const members = cells.filter(({ state }) => takesTraffic(state));
  const rows = await listFailovers(database);
  const held = await listOpenSubjects(database, HELD);
  const isQuiet = members.every(({ health }) => health !== "down") && rows.every(({ phase }) => phase !== "failed_over");
  if (isQuiet && held.size === 0) return [];
  const known = await sceneOf(database, cells, rows, now);
  const scene = { ...known, wentDownAt: [...known.wentDownAt, ...Array<number>(seen.newlyDown).fill(now)] };
  const turn: Turn = { scene, held, now };
  return members.flatMap((row) => (row.health === "down" ? onDown(row, turn) : onUp(row, turn, seen)));
};
