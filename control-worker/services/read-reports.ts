import type { GuestsEntry } from "#schema/api/failover.ts";
import type { HeldEntry, MoveReportEntry } from "#schema/api/moves.ts";
import { CellReport } from "#schema/api/sync.ts";

export type Reports = {
  readonly moves: readonly MoveReportEntry[];
  readonly held: readonly HeldEntry[];
  readonly guests: readonly GuestsEntry[];
  /** How many are of no kind that is known here. */
  readonly unknown: number;
};

/** Sorts what a cell reports by kind. One that cannot be read never keeps the others from being heard. */
export const readReports = (reports: readonly unknown[]): Reports => {
  const known = reports.map((report) => CellReport.safeParse(report).data);
  return {
    moves: known.filter((report) => report?.kind === "move"),
    held: known.filter((report) => report?.kind === "held"),
    guests: known.filter((report) => report?.kind === "guests"),
    unknown: known.filter((report) => report === undefined).length,
  };
};
