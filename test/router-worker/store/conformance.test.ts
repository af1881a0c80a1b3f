import { Miniflare } from "miniflare";
import type { FeedPage, FeedRecord } from "#schema/api/feed.ts";
import { encodeRouteRecord } from "#schema/domain/route.ts";
import { createBreaker } from "../../../router-worker/breaker.ts";
import { DEFAULT_SETTINGS } from "../../../router-worker/settings.ts";
import { createKvReader, type KvSource } from "../../../router-worker/store/kv-reader.ts";
import type { RouteStore } from "../../../router-worker/store/port.ts";
import { createReplica } from "../../../router-worker/store/replica/replica.ts";
import { createReplicaStore } from "../../../router-worker/store/replica/replica-store.ts";
import { createWorkersKvStore } from "../../../router-worker/store/workers-kv.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createFakeKv } from "../support/fake-kv.ts";
import { createMemoryShelf } from "../support/router.ts";
import { TOPOLOGY_KEY } from "../support/world.ts";
import { describeRouteStore } from "./conformance.ts";

const kvStoreOver = (kv: KvSource, clock: FakeClock): { store: RouteStore; settled: () => Promise<unknown> } => {
  const background: Promise<unknown>[] = [];
  const keepAlive = (work: Promise<unknown>) => void background.push(work);
  const breaker = createBreaker(clock, DEFAULT_SETTINGS.kv.breaker);
  const reader = createKvReader({ ...DEFAULT_SETTINGS.kv, kv, clock, breaker, observe: () => undefined });
  const settings = DEFAULT_SETTINGS.routes;
  const store = createWorkersKvStore({ reader, shelf: createMemoryShelf(), clock, keepAlive, settings, onCorrupt: () => undefined });
  return { store, settled: () => Promise.all(background) };
};

/** Beyond fresh, within stale: the next look-up reads again behind its answer. */
const LATER_MS = 40_000;

describeRouteStore("Workers KV, over a fake", async () => {
  const clock = createFakeClock();
  const kv = createFakeKv(clock);
  const { store, settled } = kvStoreOver(kv.source, clock);
  return {
    store,
    publish: async ({ routeKeys: [key = ""] }, record) => void kv.values.set(key, encodeRouteRecord(record)),
    publishTopology: async (text) => void kv.values.set(TOPOLOGY_KEY, text),
    pass: async () => {
      await settled();
      await clock.advance(LATER_MS);
    },
    breakUpstream: async () => {
      kv.state.isBroken = true;
    },
  };
});

let miniflare: Miniflare | undefined;

describeRouteStore(
  "Workers KV, over Miniflare",
  async () => {
    miniflare ??= new Miniflare({ modules: true, script: "export default {}", kvNamespaces: ["ROUTES"] });
    const namespace = await miniflare.getKVNamespace("ROUTES");
    await namespace.delete(TOPOLOGY_KEY);
    const state = { isBroken: false };
    const clock = createFakeClock();
    const source: KvSource = {
      get: (key, options) => (state.isBroken ? Promise.reject(new Error("KV is broken")) : namespace.get(key, options)),
    };
    const { store, settled } = kvStoreOver(source, clock);
    return {
      store,
      publish: ({ routeKeys: [key = ""] }, record) => namespace.put(key, encodeRouteRecord(record)),
      publishTopology: (text) => namespace.put(TOPOLOGY_KEY, text),
      pass: async () => {
        await settled();
        await clock.advance(LATER_MS);
      },
      breakUpstream: async () => {
        state.isBroken = true;
      },
    };
  },
  async () => miniflare?.dispose(),
);

describeRouteStore("replica", async () => {
  const replica = createReplica(createFakeClock(), null);
  let applied = 0;
  const apply = (change: { readonly records?: readonly FeedRecord[]; readonly topology?: unknown }): void => {
    const from = replica.cursor();
    applied += 1;
    const page = { from, cursor: `c${applied}`, hasMore: false, isSnapshot: from === null, records: [], ...change } as unknown as FeedPage;
    if (replica.apply(page) === "gap") throw new Error("the feed has a gap");
  };
  apply({});
  return {
    store: createReplicaStore(replica, createFakeClock(), 100),
    publish: async ({ vinKey }, { cell, epoch }) => apply({ records: [[vinKey, cell, epoch]] }),
    publishTopology: async (text) => apply({ topology: JSON.parse(text) }),
    pass: async () => undefined,
    // A feed that is broken is one that sends nothing.
    breakUpstream: async () => undefined,
  };
});
