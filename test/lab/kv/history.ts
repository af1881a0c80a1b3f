import { MAX_DELAY_SECONDS } from "./knobs.ts";

/** A stored value; `value` holds one byte a character (latin1), so that any bytes pass through JSON. */
export type Entry = { readonly value: string; readonly metadata: unknown; readonly expiresAtMs: number | null };

/** One write; `entry` is null for a delete. */
export type Version = { readonly key: string; readonly pop: string; readonly writtenAtMs: number; readonly entry: Entry | null };

/** The writes of one key, oldest first, without those that no POP can see any more. */
export type History = readonly Version[];

export const appendVersion = (history: History, version: Version): History => {
  const horizonMs = version.writtenAtMs - MAX_DELAY_SECONDS * 1000;
  const firstNeeded = history.findLastIndex((known) => known.writtenAtMs <= horizonMs);
  return [...history.slice(Math.max(0, firstNeeded)), version];
};

/** What one POP's copy holds: its own writes at once, those of the others after the delay. */
export const visibleEntry = (history: History, view: { pop: string; nowMs: number; delayMs: number }): Entry | null => {
  const seen = history.findLast((version) => version.pop === view.pop || version.writtenAtMs + view.delayMs <= view.nowMs);
  const entry = seen?.entry ?? null;
  return entry?.expiresAtMs != null && entry.expiresAtMs <= view.nowMs ? null : entry;
};
