import type { VehicleRecord } from "#schema/domain/admission.ts";
import { nextEpoch } from "#schema/domain/assignment.ts";
import { takeFeed } from "#schema/domain/cell-move.ts";

/** What the parties of the model act by: the functions of schema/domain. A test may put a bug in the place of one, here and nowhere else. */
export type Rules = {
  readonly nextEpoch: typeof nextEpoch;
  readonly takeFeed: typeof takeFeed;
  /** Whether a message is on disk before the vehicle sees it acknowledged (I7). */
  readonly isStoredBeforeAcknowledged: boolean;
  /** The id under which the target of a move signs a pending command again (I9). */
  readonly signAgain: (id: string) => string;
  /** Whether the vehicle refuses a command: it keeps ids until they expire (I9). */
  readonly refuses: (executed: readonly string[], id: string, isExpired: boolean) => boolean;
  /** What a clock alone does to a record: nothing. */
  readonly onTimer: (record: VehicleRecord) => VehicleRecord;
};

export const RULES: Rules = {
  nextEpoch,
  takeFeed,
  isStoredBeforeAcknowledged: true,
  signAgain: (id) => id,
  refuses: (executed, id, isExpired) => isExpired || executed.includes(id),
  onTimer: (record) => record,
};
