import type { Move } from "#schema/api/moves.ts";
import { waitsFor } from "#schema/domain/move.ts";
import { type MoveRow, toMove } from "../store/moves.ts";

const toTime = (at: number): string => new Date(at).toISOString();

/** A move as the API shows it. */
export const toMoveView = (row: MoveRow): Move => ({
  id: row.id,
  campaign: row.campaign,
  vin: row.vin,
  vinKey: row.vinKey,
  source: row.source,
  target: row.target,
  state: row.state,
  fromEpoch: row.fromEpoch,
  toEpoch: row.toEpoch,
  failure: row.failure,
  waitsFor: waitsFor(toMove(row)),
  createdAt: toTime(row.createdAt),
  updatedAt: toTime(row.updatedAt),
  times: Object.fromEntries(Object.entries(row.times).map(([state, at]) => [state, toTime(at)])),
});
