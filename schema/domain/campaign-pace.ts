/** A campaign in numbers. `settled` moves have their vehicle stored where it now belongs; `failed` ones were given up, not by an operator. */
export type Tally = {
  readonly total: number;
  readonly planned: number;
  readonly inHand: number;
  readonly settled: number;
  readonly failed: number;
};

export type Pace = { readonly canaryShare: number; readonly concurrency: number; readonly maxFailureShare: number };

/** Fewer moves than these say nothing about a share. */
const MIN_SAMPLE = 20;

/** How far the canary share still holds a campaign back; all of it must have come to an end before the rest follows. */
const canaryAllowance = ({ total, planned, settled, failed }: Tally, { canaryShare }: Pace): number => {
  const size = Math.ceil(total * canaryShare);
  const begun = total - planned;
  if (begun < size) return size - begun;
  return settled + failed >= size ? planned : 0;
};

/** What a running campaign does next: begin up to `count` moves, given what its rate allows (`credit`), stop because too many failed, or end. */
export const paceCampaign = (
  tally: Tally,
  pace: Pace,
  credit: number,
): { readonly kind: "begin"; readonly count: number } | { readonly kind: "stop" } => {
  const closed = tally.settled + tally.failed;
  if (tally.failed > pace.maxFailureShare * Math.max(closed, MIN_SAMPLE)) return { kind: "stop" };
  const count = Math.min(Math.floor(credit), pace.concurrency - tally.inHand, tally.planned, canaryAllowance(tally, pace));
  return { kind: "begin", count: Math.max(0, count) };
};

export type QuietHours = { readonly zone: string | null; readonly from: string; readonly to: string };

/** Whether no move of a zone begins at a time of day, `HH:MM`; the end is not part of the hours. */
export const isQuietHour = (hours: readonly QuietHours[], zone: string | null, time: string): boolean =>
  hours.some((hour) => {
    if (hour.zone !== null && hour.zone !== zone) return false;
    return hour.from <= hour.to ? hour.from <= time && time < hour.to : time >= hour.from || time < hour.to;
  });
