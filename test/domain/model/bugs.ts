import { type Holding, takeFeed } from "#schema/domain/cell-move.ts";
import { RULES, type Rules } from "./rules.ts";

/** Ways to get it wrong that have cost others messages. They exist here only, to show that the checker would tell. */
export const BUGS = {
  "a lock released by a timer": {
    ...RULES,
    onTimer: (record) => (record.state === "locked" ? { state: "owned", epoch: record.epoch } : record),
  },
  "a stale publication believed": {
    ...RULES,
    takeFeed: (self, { record, mark }: Holding, told) =>
      takeFeed(self, { record: record === null ? null : { ...record, epoch: Math.min(record.epoch, told.epoch - 1) }, mark }, told),
  },
  "a command signed again under another id": { ...RULES, signAgain: (id) => `${id} again` },
  "an expiry that the vehicle does not look at": { ...RULES, refuses: (executed, id) => executed.includes(id) },
  "a message acknowledged before it is stored": { ...RULES, isStoredBeforeAcknowledged: false },
  "an epoch used twice": { ...RULES, nextEpoch: (own) => own },
} as const satisfies Readonly<Record<string, Rules>>;
