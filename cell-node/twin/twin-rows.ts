import { ACTIVITIES } from "#schema/domain/activity.ts";
import type { Reported } from "#schema/domain/reported.ts";
import { type DesiredId, NO_DESIRED, type Twin } from "#schema/domain/twin.ts";
import type { DesiredRow, TwinRow } from "../store/store.ts";

export const toTwinRow = (vehicle: number, { reported, last, activity, held }: Twin): TwinRow => ({
  ...{ vehicle, reported: JSON.stringify(reported) },
  ...{ boot: last?.boot ?? 0, seq: last?.seq ?? 0, reportedAt: last?.at ?? null },
  ...{ activity: activity?.activity ?? null, activityAt: activity?.at ?? null },
  ...{ heldTerm: held?.term ?? null, heldVersion: held?.version ?? null },
});

const heldOf = ({ heldTerm, heldVersion }: TwinRow): DesiredId | null =>
  heldTerm === null || heldVersion === null ? null : { term: heldTerm, version: heldVersion };

/** A stored twin; the row is what `toTwinRow` has written. */
export const parseTwinRow = (row: TwinRow, desired: DesiredRow | undefined): Twin => {
  const activity = ACTIVITIES.find((candidate) => candidate === row.activity);
  return {
    reported: JSON.parse(row.reported) as Reported,
    last: row.reportedAt === null ? null : { boot: row.boot, seq: row.seq, at: row.reportedAt },
    activity: activity === undefined || row.activityAt === null ? null : { activity, at: row.activityAt },
    held: heldOf(row),
    desired: desired === undefined ? NO_DESIRED : { term: desired.term, version: desired.version, document: desired.document },
  };
};
