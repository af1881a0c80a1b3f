import type { CellId } from "#schema/domain/cell.ts";
import type { Move } from "#schema/domain/move.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { type Statement, statement } from "./statement.ts";

export type NewMove = {
  readonly vin: Vin;
  readonly vinKey: VinKey;
  readonly move: Move & { readonly source: CellId };
};

/** Plans moves; a vehicle that is in an open one already is left out. */
export const insertMoves = (campaign: string, rows: readonly NewMove[], now: number): Statement =>
  statement(
    `insert or ignore into moves (id, campaign, vin, vin_key, source, target, state, step, from_epoch, times, created_at, updated_at)
     select new.value ->> 0, ?, new.value ->> 1, new.value ->> 2, new.value ->> 3, new.value ->> 4, 'planned', new.value ->> 5, new.value ->> 6,
            json_object('planned', ?), ?, ? from json_each(?) as new`,
    campaign,
    now,
    now,
    now,
    JSON.stringify(rows.map(({ vin, vinKey, move }) => [move.id, vin, vinKey, move.source, move.target, move.step, move.fromEpoch])),
  );

/** A transition: the move as it was when it was decided, and as it is to be. */
export type Transition = { readonly before: Move; readonly after: Move };

/** Set with every transition. Numbers of one statement are told apart by the row's place in its list. */
const STAMP = `seq = (select coalesce(max(seq), 0) + 1 from moves) + new.key, updated_at = ?`;

/** Takes each move one or more steps on; one that has made another step since is left where it is. Answers the ids that went on. */
export const advanceMoves = (transitions: readonly Transition[], now: number): Statement =>
  statement(
    `update moves set state = new.value ->> 2, step = new.value ->> 3, checksum = new.value ->> 4, deadline_at = new.value ->> 5,
            is_released = new.value ->> 6, failure = new.value ->> 7, times = json_set(times, '$.' || (new.value ->> 2), ?), ${STAMP}
     from json_each(?) as new where moves.id = new.value ->> 0 and moves.step = new.value ->> 1 returning id`,
    now,
    now,
    JSON.stringify(
      transitions.map(({ before, after }) => [
        before.id,
        before.step,
        after.state,
        after.step,
        after.checksum,
        after.deadlineAt,
        Number(after.isReleased),
        after.failure,
      ]),
    ),
  );

/** A switch that is due: the move before it, after it, and after its refusal. */
export type Switch = { readonly before: Move; readonly switched: Move; readonly refused: Move };

/**
 * The change of owner and the step of the move, together or not at all. The triggers leave out a vehicle whose target has no room, is not in its zone, or is not
 * active and healthy; its move then goes back.
 */
export const switchMoves = (switches: readonly Switch[], now: number): readonly Statement[] => {
  const rows = JSON.stringify(
    switches.map(({ before, switched, refused }) => [before.id, before.step, switched.step, refused.step, refused.failure]),
  );
  return [
    statement(
      `update assignments set cell = moves.target, epoch = max(assignments.epoch, (select epoch_floor from meta)) + 1, lane = 'bulk', updated_at = ?
       from json_each(?) as new join moves on moves.id = new.value ->> 0 and moves.step = new.value ->> 1 and moves.state = 'copying'
       where assignments.vin = moves.vin and assignments.cell = moves.source and assignments.epoch = moves.from_epoch`,
      now,
      rows,
    ),
    statement(
      `update moves set state = 'switching', step = new.value ->> 2, to_epoch = assignments.epoch, times = json_set(times, '$.switching', ?), ${STAMP}
       from json_each(?) as new, assignments
       where moves.id = new.value ->> 0 and moves.step = new.value ->> 1 and moves.state = 'copying'
         and assignments.vin = moves.vin and assignments.cell = moves.target and assignments.epoch > moves.from_epoch`,
      now,
      now,
      rows,
    ),
    statement(
      `update moves set state = 'unlocking', step = new.value ->> 3, failure = new.value ->> 4, times = json_set(times, '$.unlocking', ?), ${STAMP}
       from json_each(?) as new where moves.id = new.value ->> 0 and moves.step = new.value ->> 1 and moves.state = 'copying'`,
      now,
      now,
      rows,
    ),
  ];
};
