import type { CampaignPlan, CampaignRequest, SkipReason } from "#schema/api/campaigns.ts";
import { AppError } from "#schema/api/error.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { type Move, planMove } from "#schema/domain/move.ts";
import { choosePlacement, type PlacementCell } from "#schema/domain/placement.ts";
import type { Deps } from "../deps.ts";
import { type CellRow, listCells } from "../store/cells.ts";
import { findMovables, listMovablesOf, type Movable, type Past, readInbound, readPast } from "../store/movables.ts";
import type { NewMove } from "../store/move-writes.ts";
import { requireCell } from "./require.ts";

const DAY_MS = 24 * 3600 * 1000;

export type PlannedCampaign = { readonly moves: readonly NewMove[]; readonly skipped: Partial<Record<SkipReason, number>> };

const select = async (deps: Deps, { selection }: CampaignRequest): Promise<{ found: readonly Movable[]; missing: number }> => {
  if (selection.kind === "cell") {
    await requireCell(deps, selection.cell);
    return { found: await listMovablesOf(deps.database, selection.cell, selection.limit), missing: 0 };
  }
  const vins = [...new Set(selection.vins)];
  const found = await findMovables(deps.database, vins);
  return { found, missing: vins.length - found.length };
};

const toOpenCell = (row: CellRow, inbound: number, placeableAfterSeconds: number): PlacementCell => {
  const { id, zone, state, health, weight, hardLimit, assigned, endpointsPublishedAt: publishedAt } = row;
  const placeableAt = publishedAt === null ? Number.POSITIVE_INFINITY : publishedAt + placeableAfterSeconds * 1000;
  return { id, zone, state, health, weight, room: hardLimit - assigned - inbound, placeableAt };
};

/** The cells that may be chosen; what other moves will bring them is not room any more. */
const openCells = async ({ database, config }: Deps, targets: readonly CellId[] | null): Promise<Map<CellId, PlacementCell>> => {
  const inbound = await readInbound(database);
  const rows = await listCells(database);
  const unknown = targets?.find((target) => rows.every(({ id }) => id !== target));
  if (unknown !== undefined) throw new AppError("not_found", `there is no cell ${unknown}`);
  const chosen = rows.filter(({ id }) => targets?.includes(id) ?? true);
  return new Map(chosen.map((row) => [row.id, toOpenCell(row, inbound.get(row.id) ?? 0, config.placeableAfterSeconds)]));
};

type Judged = { readonly kind: "move"; readonly move: Move } | { readonly kind: "skip"; readonly reason: SkipReason };

const skip = (reason: SkipReason): Judged => ({ kind: "skip", reason });

type Frame = { readonly id: string; readonly request: CampaignRequest; readonly open: Map<CellId, PlacementCell>; readonly now: number };

/** The move of one vehicle, or why it stays where it is; room is used up as it goes. */
const judge = ({ vinKey, zone, cell, epoch, isPinned }: Movable, before: Past | undefined, { id, request, open, now }: Frame): Judged => {
  const { targets, policy } = request;
  if (cell === null || epoch === null) return skip("no_cell_yet");
  if (targets?.includes(cell)) return skip("already_there");
  if (isPinned) return skip("pinned");
  if (before?.isOpen) return skip("in_another_move");
  if (policy.disruptionBudget !== null && (before?.recent ?? 0) >= policy.disruptionBudget.moves) return skip("over_disruption_budget");
  const others = [...open.values()].filter((other) => other.id !== cell);
  const choice = choosePlacement({ vinKey, zone }, others, now);
  if (choice.kind === "refused") return skip(choice.reason);
  const chosen = open.get(choice.cell);
  if (chosen !== undefined) open.set(choice.cell, { ...chosen, room: chosen.room - 1 });
  const parties = { id: `${id}.${vinKey}`, source: cell, target: choice.cell };
  return { kind: "move", move: planMove({ ...parties, fromEpoch: epoch, lastStep: before?.step ?? 0 }) };
};

/** Works out a campaign from what is there: which vehicle goes where, and which are left out for what reason. */
export const planCampaign = async (deps: Deps, id: string, request: CampaignRequest): Promise<PlannedCampaign> => {
  const now = deps.clock();
  const { found, missing } = await select(deps, request);
  const since = now - (request.policy.disruptionBudget?.days ?? 0) * DAY_MS;
  const vins = found.map(({ vin }) => vin);
  const past = await readPast(deps.database, vins, since);
  const frame = { id, request, open: await openCells(deps, request.targets), now };
  const skipped = new Map<SkipReason, number>(missing > 0 ? [["not_registered", missing]] : []);
  const moves: NewMove[] = [];
  for (const vehicle of found) {
    const { vin, vinKey } = vehicle;
    const judged = judge(vehicle, past.get(vin), frame);
    if (judged.kind === "move") moves.push({ vin, vinKey, move: judged.move });
    else skipped.set(judged.reason, (skipped.get(judged.reason) ?? 0) + 1);
  }
  return { moves, skipped: Object.fromEntries(skipped) };
};

/** The plan in numbers. */
export const summarizePlan = ({ moves, skipped }: PlannedCampaign, request: CampaignRequest): CampaignPlan => {
  const flows = Map.groupBy(moves, ({ move }) => `${move.source} ${move.target}`);
  return {
    vehicles: moves.length,
    flows: [...flows.values()].flatMap((group) => {
      const [first] = group;
      return first === undefined ? [] : [{ from: first.move.source, to: first.move.target, vehicles: group.length }];
    }),
    skipped,
    estimatedSeconds: moves.length / request.policy.ratePerSecond,
  };
};
