import type { CommandState } from "./command.ts";

/** The greater of two by an order; of equals the first, so an order must tell apart whatever differs. */
const greater = <T>(compare: (a: T, b: T) => number, a: T, b: T): T => (compare(a, b) >= 0 ? a : b);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A command as two cells may know it. `updatedAt` is ms since the epoch; `detail` is what the vehicle last reported, as text. */
export type CommandCopy = { readonly id: string; readonly state: CommandState; readonly updatedAt: number; readonly detail: string };

/**
 * How far a command has got. What the vehicle said outranks what a cell concluded: one that a cell let expire and the vehicle accepted was accepted, and
 * expires again if it must; one that a cell cancelled and the other had sent was sent.
 */
const FURTHEST: readonly CommandState[] = ["queued", "cancelled", "sent", "expired", "accepted", "failed", "succeeded"];

const compareCommands = (a: CommandCopy, b: CommandCopy): number =>
  FURTHEST.indexOf(a.state) - FURTHEST.indexOf(b.state) || a.updatedAt - b.updatedAt || compareText(a.detail, b.detail);

/** Commands of two cells by id: the furthest state wins (design §5). In order of id. */
export const mergeCommands = <T extends CommandCopy>(a: readonly T[], b: readonly T[]): T[] => {
  const merged = new Map<string, T>();
  for (const command of [...a, ...b]) {
    const known = merged.get(command.id);
    merged.set(command.id, known === undefined ? command : greater(compareCommands, known, command));
  }
  return [...merged.values()].sort((x, y) => compareText(x.id, y.id));
};

/** One version of a desired document. Who serves as a guest writes under the failover's term; terms only rise. `document` is its JSON text. */
export type DesiredVersion = { readonly term: number; readonly version: number; readonly document: string };
/** The version that holds, and what it has displaced, latest first. */
export type Desired = { readonly current: DesiredVersion; readonly history: readonly DesiredVersion[] };

export const DESIRED_HISTORY = 20;

const compareVersions = (a: DesiredVersion, b: DesiredVersion): number =>
  a.term - b.term || a.version - b.version || compareText(a.document, b.document);

/** Desired documents of two cells: the higher (term, version) holds, all else is kept in the history, the latest `DESIRED_HISTORY` of it. */
export const mergeDesired = (a: Desired, b: Desired): Desired => {
  const all = [a.current, b.current, ...a.history, ...b.history].sort((x, y) => compareVersions(y, x));
  const distinct = all.filter((version, index) => index === 0 || compareVersions(version, all[index - 1] ?? version) !== 0);
  const [current = a.current, ...history] = distinct;
  return { current, history: history.slice(0, DESIRED_HISTORY) };
};

/** The vehicle's own order of what it says: its boot counter, then a counter within the boot. */
export type Stamp = { readonly boot: number; readonly seq: number };

export const compareStamps = (a: Stamp, b: Stamp): number => a.boot - b.boot || a.seq - b.seq;

/** What a vehicle said of itself as a whole: presence, or a complete document. `value` is its JSON text. */
export type Said = Stamp & { readonly value: string };

/** The last word of the vehicle, whichever cell heard it. */
export const mergeSaid = <T extends Said>(a: T, b: T): T =>
  greater<T>((x, y) => compareStamps(x, y) || compareText(x.value, y.value), a, b);
