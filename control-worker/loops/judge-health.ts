import { type CellHealth, takesTraffic } from "#schema/domain/cell.ts";
import { judgeHealth, SUSPECT_AFTER_MISSES } from "#schema/domain/cell-health.ts";
import { witnessesOf } from "#schema/domain/witness.ts";
import { type Contacts, SYNC_PACE_MS } from "../ledger/contacts.ts";
import { openAlert, resolveAlert } from "../store/alerts.ts";
import { type CellRow, updateHealth } from "../store/cells.ts";
import type { Statement } from "../store/statement.ts";
import type { LoopDeps } from "./port.ts";
import { Prober } from "./probe.ts";

/** A longer pause between two turns means that control itself was not there. */
const MAX_PAUSE_MS = 4_000;
/** A cell that comes back is healthy again when it has called for so long without a gap; one that was given up has more to prove. */
const STEADY_MS: Readonly<Record<CellHealth, number>> = { healthy: 0, suspect: 1_000, isolated: 5_000, down: 5_000 };
/** Of several cells one has always called more lately than this. */
const DEAF_AFTER_MS = 1.25 * SYNC_PACE_MS;

const ALERTS: Readonly<Record<CellHealth, { readonly kind: string; readonly detail: string } | null>> = {
  healthy: null,
  suspect: null,
  isolated: {
    kind: "cell_isolated",
    detail: "the cell does not call, but is reached: its traffic stays, nothing is placed or moved there",
  },
  down: { kind: "cell_down", detail: "the cell does not call, and neither the probe nor a witness reaches it" },
};

/** A verdict on a silent cell stands until the cell is steadily there again. */
const withoutFlapping = (known: CellHealth, health: CellHealth, isSteady: boolean): CellHealth => {
  if (health === "healthy") return isSteady ? health : known;
  return health === "suspect" && known !== "healthy" ? known : health;
};

export type Change = { readonly cell: CellRow; readonly health: CellHealth };

/** What is written for a change, its alerts included. */
export const toStatements = ({ cell, health }: Change, now: number): Statement[] => {
  const [before, after] = [ALERTS[cell.health], ALERTS[health]];
  return [
    updateHealth(cell.id, cell.health, health),
    ...(before === null ? [] : [resolveAlert(before.kind, cell.id, now)]),
    ...(after === null ? [] : [openAlert({ ...after, subject: cell.id, severity: "critical" }, now)]),
  ];
};

/** Judges the health of every cell from what was heard, probed and witnessed. */
export class HealthJudge {
  readonly #contacts: Contacts;
  readonly #prober = new Prober();
  #turnedAt = Number.NEGATIVE_INFINITY;
  #listeningSince = 0;

  constructor(contacts: Contacts) {
    this.#contacts = contacts;
  }

  /** The cells whose health has changed; to be asked about once a second. */
  look(deps: LoopDeps, cells: readonly CellRow[]): Change[] {
    const now = deps.clock();
    if (now - this.#turnedAt > MAX_PAUSE_MS) this.#listeningSince = now;
    this.#turnedAt = now;
    return cells
      .filter(({ state, isProven }) => takesTraffic(state) && isProven)
      .map((cell) => ({ cell, health: this.#judge(deps, cell, cells, now) }))
      .filter(({ cell, health }) => health !== cell.health);
  }

  /** Control hears nobody at all: then it is not the cells that are silent. */
  #isDeaf(now: number): boolean {
    return now - this.#contacts.newestAt > DEAF_AFTER_MS;
  }

  #judge(deps: LoopDeps, cell: CellRow, cells: readonly CellRow[], now: number): CellHealth {
    const heard = this.#contacts.heard(cell.id);
    const since = Math.max(heard?.at ?? 0, this.#listeningSince);
    const missedSyncs = Math.floor((now - since) / SYNC_PACE_MS);
    if (missedSyncs >= SUSPECT_AFTER_MISSES) this.#prober.ask(deps, cell);
    const witnesses = witnessesOf(cell, cells);
    const health = judgeHealth({
      known: cell.health,
      wasListening: !this.#isDeaf(now),
      missedSyncs,
      isProbeOk: this.#prober.answerOf(cell.id, since),
      testimonies: this.#contacts.testimoniesOf(cell.id, since).filter(({ witness }) => witnesses.includes(witness)),
    });
    const isSteady = heard !== undefined && now - heard.since >= STEADY_MS[cell.health];
    return withoutFlapping(cell.health, health, isSteady);
  }
}
