import type { Disturbance } from "./move-message.ts";

export const ACTIVITIES = ["parked", "driving", "charging", "updating"] as const;
/** What a vehicle says that it is doing, in `activity` of its reported twin (design §4.6). */
export type Activity = (typeof ACTIVITIES)[number];

/** What was last said and when it came in, ms since the epoch. */
export type ActivityReport = { readonly activity: Activity; readonly at: number };

/** What a vehicle said so long ago no longer holds: it counts as parked. */
export const ACTIVITY_HOLDS_MS = 600_000;

const DISTURBANCE_OF: Readonly<Record<Activity, Disturbance | null>> = {
  parked: null,
  charging: null,
  driving: "drive",
  updating: "update",
};

/** What the vehicle is doing as far as is known: unknown or older than 10 minutes is parked. */
export const activityAt = (report: ActivityReport | null, nowMs: number): Activity =>
  report === null || nowMs - report.at > ACTIVITY_HOLDS_MS ? "parked" : report.activity;

/** What a cell knows of a vehicle that is to be held still. `hasCommandUnderWay`: sent or accepted, and not yet at its end. */
export type Doings = { readonly hasCommandUnderWay: boolean; readonly report: ActivityReport | null };

/** Why the vehicle should not be locked right now (design §5), as far as the policy minds; null when it is quiet. */
export const disturbanceOf = (doings: Doings, minded: readonly Disturbance[], nowMs: number): Disturbance | null => {
  const found: readonly (Disturbance | null)[] = [
    doings.hasCommandUnderWay ? "command" : null,
    DISTURBANCE_OF[activityAt(doings.report, nowMs)],
  ];
  return found.find((disturbance) => disturbance !== null && minded.includes(disturbance)) ?? null;
};
