import { appendVersion, type Entry, type History, type Version, visibleEntry } from "./history.ts";
import type { Knobs } from "./knobs.ts";

export type ListedKey = { readonly name: string; readonly expiration?: number; readonly metadata?: unknown };
export type KeyPage = { readonly keys: readonly ListedKey[]; readonly cursor: string | null };

/** Values as each POP sees them. Reads and writes answer values; faults on demand are the caller's. */
export type KvStore = {
  read(pop: string, key: string, cacheTtlSeconds: number): Entry | null;
  write(pop: string, key: string, entry: Entry | null): "stored" | "too_many_writes";
  list(pop: string, query: { prefix: string; limit: number; cursor: string | null }): KeyPage;
  /** Forgets what the POPs have cached. */
  dropCaches(): void;
};

type Cached = { readonly entry: Entry | null; readonly untilMs: number };

/**
 * Workers KV's semantics over a history of writes: a copy per POP behind a delay, hits and misses cached for `cacheTtl`, a limit of
 * writes per key. `record` is called with each accepted write before it is visible.
 */
export const createKvStore = (deps: {
  readonly versions: Iterable<Version>;
  readonly knobs: () => Knobs;
  readonly nowMs: () => number;
  readonly record: (version: Version) => void;
}): KvStore => {
  const histories = new Map<string, History>();
  const caches = new Map<string, Map<string, Cached>>();
  const remember = (version: Version) => histories.set(version.key, appendVersion(histories.get(version.key) ?? [], version));
  for (const version of deps.versions) remember(version);

  const cacheOf = (pop: string): Map<string, Cached> => {
    const cache = caches.get(pop) ?? new Map<string, Cached>();
    caches.set(pop, cache);
    return cache;
  };
  const copyOf = (pop: string, key: string): Entry | null =>
    visibleEntry(histories.get(key) ?? [], { pop, nowMs: deps.nowMs(), delayMs: deps.knobs().delaySeconds * 1000 });

  return {
    read(pop, key, cacheTtlSeconds) {
      if (deps.knobs().delaySeconds === 0) return copyOf(pop, key);
      const cached = cacheOf(pop).get(key);
      if (cached !== undefined && deps.nowMs() < cached.untilMs) return cached.entry;
      const entry = copyOf(pop, key);
      cacheOf(pop).set(key, { entry, untilMs: deps.nowMs() + cacheTtlSeconds * 1000 });
      return entry;
    },
    write(pop, key, entry) {
      const lastMs = histories.get(key)?.at(-1)?.writtenAtMs ?? Number.NEGATIVE_INFINITY;
      if (deps.nowMs() - lastMs < 1000 / deps.knobs().writesPerSecondPerKey) return "too_many_writes";
      const version = { key, pop, writtenAtMs: deps.nowMs(), entry };
      deps.record(version);
      remember(version);
      cacheOf(pop).delete(key);
      return "stored";
    },
    list(pop, { prefix, limit, cursor }) {
      const names = [...histories.keys()].filter((name) => name.startsWith(prefix) && (cursor === null || name > cursor)).sort();
      const present = names.flatMap((name) => {
        const entry = copyOf(pop, name);
        return entry === null ? [] : [{ name, entry }];
      });
      const page = present.slice(0, limit);
      const keys = page.map(({ name, entry }) => ({
        name,
        ...(entry.expiresAtMs !== null && { expiration: Math.floor(entry.expiresAtMs / 1000) }),
        ...(entry.metadata !== null && { metadata: entry.metadata }),
      }));
      return { keys, cursor: present.length > limit ? (page.at(-1)?.name ?? null) : null };
    },
    dropCaches: () => caches.clear(),
  };
};
