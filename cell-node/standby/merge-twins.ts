import type { BundledTwin } from "#schema/api/twin.ts";
import { compareStamps, DESIRED_HISTORY, type DesiredVersion, mergeDesired } from "#schema/domain/merge.ts";

type Kept = BundledTwin["desired"][number];

const nameOf = ({ term, version, document }: DesiredVersion): string => JSON.stringify([term, version, document]);

/** The higher (term, version) holds, all else is history, latest first. */
const mergeVersions = (a: readonly Kept[], b: readonly Kept[]): Kept[] => {
  const [current, ...history] = [...a, ...b];
  if (current === undefined) return [];
  const known = new Map([...a, ...b].map((version) => [nameOf(version), version]));
  const merged = mergeDesired({ current, history }, { current, history: [] });
  return [merged.current, ...merged.history].flatMap((version) => known.get(nameOf(version)) ?? []).slice(0, DESIRED_HISTORY + 1);
};

/** The twin of two cells (design §5): what the vehicle reported last by its own order, whichever cell heard it, and the desired versions of both. */
export const mergeTwins = (a: BundledTwin | null, b: BundledTwin | null): BundledTwin | null => {
  if (a === null || b === null) return a ?? b;
  const order = compareStamps(a, b) || (a.reportedAt ?? 0) - (b.reportedAt ?? 0);
  const latest = order >= 0 ? a : b;
  const active = (a.activityAt ?? 0) >= (b.activityAt ?? 0) ? a : b;
  return { ...latest, activity: active.activity, activityAt: active.activityAt, desired: mergeVersions(a.desired, b.desired) };
};
