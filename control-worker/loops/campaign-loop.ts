import { CampaignPolicy } from "#schema/api/campaigns.ts";
import { isQuietHour, paceCampaign, type Tally } from "#schema/domain/campaign-pace.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { advance, type MoveEvent } from "#schema/domain/move.ts";
import { openAlert } from "../store/alerts.ts";
import {
  type CampaignRow,
  closeCampaigns,
  countMoves,
  listCampaignsIn,
  listStartable,
  type MoveCount,
  type Startable,
  updateCampaign,
} from "../store/campaigns.ts";
import { listCells } from "../store/cells.ts";
import { advanceMoves } from "../store/move-writes.ts";
import { type MoveFact, readReserved, toMove } from "../store/moves.ts";
import type { LoopDeps } from "./port.ts";

const IN_HAND: readonly MoveCount["state"][] = ["locking", "copying", "switching", "unlocking"];
const SETTLED: readonly MoveCount["state"][] = ["arriving", "done"];

const tallyOf = (counts: readonly MoveCount[]): Tally => {
  const sum = (fits: (row: MoveCount) => boolean) => counts.filter(fits).reduce((total, { count }) => total + count, 0);
  return {
    total: sum(() => true),
    planned: sum(({ state }) => state === "planned"),
    inHand: sum(({ state }) => IN_HAND.includes(state)),
    settled: sum(({ state }) => SETTLED.includes(state)),
    failed: sum(({ state, failure }) => state === "aborted" && failure !== "operator"),
  };
};

/** The first step of a planned move; one whose vehicle has changed its cell or epoch since it was planned is given up. */
const firstEvent = ({ row, truth }: MoveFact, deadlineAt: number): MoveEvent =>
  truth?.cell === row.source && truth.epoch === row.fromEpoch ? { kind: "started", deadlineAt } : { kind: "failed", reason: "not_owner" };

/** As many of them as their targets have room for, what is under way included. */
const withRoom = (candidates: readonly Startable[], reserved: ReadonlyMap<CellId, number>): Startable[] => {
  const taken = new Map(reserved);
  return candidates.filter(({ row, room }) => {
    const before = taken.get(row.target) ?? 0;
    if (before >= room) return false;
    taken.set(row.target, before + 1);
    return true;
  });
};

/** The cells that no vehicle leaves at this hour. */
const quietCells = async ({ database, clock }: LoopDeps, { quietHours }: CampaignPolicy): Promise<CellId[]> => {
  if (quietHours.length === 0) return [];
  const time = new Date(clock()).toISOString().slice(11, 16);
  return (await listCells(database)).filter(({ zone }) => isQuietHour(quietHours, zone, time)).map(({ id }) => id);
};

/** Begins the planned moves of running campaigns, each as its policy allows. */
export class CampaignLoop {
  /** How many moves each campaign may begin by its rate; filled up as time goes by. */
  readonly #credits = new Map<string, number>();
  #turnedAt: number | null = null;

  async turn(deps: LoopDeps): Promise<void> {
    const now = deps.clock();
    const elapsedMs = this.#turnedAt === null ? 1_000 : now - this.#turnedAt;
    this.#turnedAt = now;
    const running = await listCampaignsIn(deps.database, "running");
    for (const campaign of running) await this.#begin(deps, campaign, elapsedMs);
    if (running.length > 0) await deps.write([closeCampaigns(now)]);
  }

  /** No more than one second's worth is saved up. */
  #creditOf(id: string, rate: number, elapsedMs: number): number {
    const credit = Math.min((this.#credits.get(id) ?? 0) + (rate * elapsedMs) / 1_000, Math.max(rate, 1));
    this.#credits.set(id, credit);
    return credit;
  }

  async #begin(deps: LoopDeps, campaign: CampaignRow, elapsedMs: number): Promise<void> {
    const policy = CampaignPolicy.parse(campaign.policy);
    const tally = tallyOf(await countMoves(deps.database, campaign.id));
    const credit = this.#creditOf(campaign.id, policy.ratePerSecond, elapsedMs);
    const pace = paceCampaign(tally, policy, credit);
    if (pace.kind === "stop") return stop(deps, campaign, tally);
    if (pace.count === 0) return;
    const now = deps.clock();
    const candidates = await listStartable(deps.database, campaign.id, await quietCells(deps, policy), pace.count);
    const startable = withRoom(candidates, await readReserved(deps.database));
    const transitions = startable.flatMap((candidate) => {
      const before = toMove(candidate.row);
      const after = advance(before, firstEvent(candidate, now + policy.lockWaitSeconds * 1_000));
      return after === null ? [] : [{ before, after }];
    });
    if (transitions.length === 0) return;
    this.#credits.set(campaign.id, credit - transitions.length);
    await deps.write([advanceMoves(transitions, now)]);
  }
}

const stop = async ({ write, logger, clock }: LoopDeps, { id, version }: CampaignRow, { failed, total }: Tally): Promise<void> => {
  const detail = `${failed} of ${total} moves failed: the campaign waits for an operator`;
  const alert = openAlert({ kind: "campaign_failing", subject: id, severity: "critical", detail }, clock());
  await write([...updateCampaign(id, version, { state: "paused", pausedFor: "failures" }), alert]);
  logger.error("campaign paused by itself", { campaign: id, failed, total });
};
