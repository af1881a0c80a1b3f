import type { KvSource } from "../../../router-worker/store/kv-reader.ts";
import type { FakeClock } from "./fake-clock.ts";

/** A KV namespace in memory that counts its reads and can be slow or broken. */
export const createFakeKv = (clock: FakeClock) => {
  const values = new Map<string, string>();
  const state = { reads: [] as string[], isBroken: false, slowMs: 0 };
  const source: KvSource = {
    async get(key) {
      state.reads.push(key);
      if (state.slowMs > 0) await new Promise<void>((resolve) => clock.after(state.slowMs, resolve));
      if (state.isBroken) throw new Error("KV is broken");
      return values.get(key) ?? null;
    },
  };
  return { source, values, state };
};
export type FakeKv = ReturnType<typeof createFakeKv>;
