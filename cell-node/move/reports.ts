import type { MoveReportEntry } from "#schema/api/moves.ts";
import type { MoveReport } from "#schema/domain/move-message.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

/** What control has not heard yet: the latest report of each vehicle. An earlier one says nothing that the latest does not. */
export type Reports = {
  put(vinKey: VinKey, report: MoveReport): void;
  pending(limit: number): MoveReportEntry[];
  /** Control has these on its disk. */
  taken(entries: readonly unknown[]): void;
};

export const createReports = (onReport: () => void): Reports => {
  const latest = new Map<VinKey, MoveReportEntry>();
  return {
    put(vinKey, report) {
      latest.set(vinKey, { kind: "move", vinKey, report });
      onReport();
    },
    pending: (limit) => latest.values().take(limit).toArray(),
    taken(entries) {
      const said = new Set(entries);
      for (const [vinKey, entry] of latest) if (said.has(entry)) latest.delete(vinKey);
    },
  };
};
