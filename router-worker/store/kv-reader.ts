import type { KVNamespace } from "@cloudflare/workers-types";
import type { Breaker } from "../breaker.ts";
import { type Clock, TIMED_OUT, withTimeout } from "../clock.ts";
import type { DocumentRead } from "./port.ts";

/** The one thing that is asked of a KV namespace. */
export type KvSource = {
  get(key: string, options: { type: "text"; cacheTtl: number }): Promise<string | null>;
};

/** A KV binding as the source that is read here. */
export const kvSourceOf = (namespace: KVNamespace): KvSource => ({ get: (key, options) => namespace.get(key, options) });

export type KvReader = {
  read(key: string): Promise<DocumentRead>;
  /** Whether reading is worth waiting for: not while the breaker is anything but closed. */
  isWell(): boolean;
};

/** Reads KV within a time limit and behind a breaker: a KV that is slow or throws is `unreachable`, at once while the breaker is open. */
export const createKvReader = (options: {
  readonly kv: KvSource;
  readonly clock: Clock;
  readonly breaker: Breaker;
  readonly timeoutMs: number;
  readonly cacheTtlSeconds: number;
  readonly observe: (outcome: DocumentRead["kind"] | "short_circuit", tookMs: number) => void;
}): KvReader => {
  const { kv, clock, breaker, timeoutMs, observe } = options;
  const getOptions = { type: "text", cacheTtl: options.cacheTtlSeconds } as const;

  const outcomeOf = async (key: string): Promise<DocumentRead> => {
    try {
      const value = await withTimeout(clock, timeoutMs, kv.get(key, getOptions));
      if (value === TIMED_OUT) return { kind: "unreachable" };
      return value === null ? { kind: "missing" } : { kind: "found", text: value };
    } catch {
      // Whatever KV throws means the same: it cannot tell. `observe` counts it.
      return { kind: "unreachable" };
    }
  };

  return {
    isWell: () => breaker.state() === "closed",
    async read(key) {
      if (!breaker.permits()) {
        observe("short_circuit", 0);
        return { kind: "unreachable" };
      }
      const startedAtMs = clock.monotonic();
      const read = await outcomeOf(key);
      if (read.kind === "unreachable") breaker.failed();
      else breaker.succeeded();
      observe(read.kind, clock.monotonic() - startedAtMs);
      return read;
    },
  };
};
