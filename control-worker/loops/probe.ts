import type { CellId } from "#schema/domain/cell.ts";
import type { CellRow } from "../store/cells.ts";
import type { LoopDeps } from "./port.ts";

const TIMEOUT_MS = 1_500;
const INTERVAL_MS = 2_000;

type Probe = { readonly at: number; readonly isOk: boolean };

/** Whether an endpoint answers as a living cell does. */
const isAlive = async ({ fetch }: Pick<LoopDeps, "fetch">, https: string): Promise<boolean> => {
  try {
    const url = `${https.replace(/\/$/, "")}/healthz`;
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
};

/** The central probe: asks endpoints in the background, each at most once in 2 s. */
export class Prober {
  readonly #probes = new Map<CellId, Probe>();
  readonly #asked = new Map<CellId, number>();

  /** Asks the cell's endpoint unless that was done just now; the answer is there at a later look. */
  ask(deps: Pick<LoopDeps, "fetch" | "clock">, { id, endpoints }: CellRow): void {
    const now = deps.clock();
    if (now - (this.#asked.get(id) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return;
    this.#asked.set(id, now);
    void isAlive(deps, endpoints.https).then((isOk) => this.#probes.set(id, { at: now, isOk }));
  }

  /** What the last probe since a time found; null without one. */
  answerOf(id: CellId, since: number): boolean | null {
    const probe = this.#probes.get(id);
    return probe !== undefined && probe.at > since ? probe.isOk : null;
  }
}
