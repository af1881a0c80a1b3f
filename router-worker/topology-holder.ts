import { TOPOLOGY_CANARY_KEY, TOPOLOGY_KEY } from "#schema/domain/route.ts";
import { guardTopology, type Topology } from "#schema/domain/topology.ts";
import { type Clock, TIMED_OUT, withTimeout } from "./clock.ts";
import { createFlights, type KeepAlive } from "./flights.ts";
import type { TopologySettings } from "./settings.ts";
import type { DocumentRead, Origin, RouteStore, Shelf } from "./store/port.ts";
import { createTopologyReaders, type ReadTopology } from "./topology-text.ts";
import { type Trust, trustOf } from "./trust.ts";

/** The topology that this edge holds, with what follows from it. */
export type HeldTopology = {
  readonly topology: Topology;
  readonly trust: Trust;
  readonly origin: Origin;
  /** When it was last found to be the published one. */
  readonly readAtMs: number;
  readonly isCanary: boolean;
  /** Counts the documents taken: two with the same number are the same. */
  readonly generation: number;
};

export const TOPOLOGY_REFUSALS = ["invalid", "older", "too_many_cells_lost"] as const;
export type TopologyRefusal = (typeof TOPOLOGY_REFUSALS)[number];

export type TopologyHolder = {
  /** What is held, read again behind the answer when it is old; null only when nothing could ever be read. */
  current(): HeldTopology | null | Promise<HeldTopology | null>;
  /** Asks control for the topology, at most once a second: for a record that names a cell which the held one does not serve. */
  pastCache(): Promise<HeldTopology | null>;
  /** What is held at this moment, without reading. */
  held(): HeldTopology | null;
};

/** Keeps the newest topology that the guard lets through (design §4.4); what it refuses is counted and the known one kept. */
export const createTopologyHolder = (options: {
  readonly popId: string;
  readonly store: Pick<RouteStore, "readDocument">;
  readonly shelf: Shelf;
  /** Control's own copy; null when control is away. */
  readonly askControl: () => Promise<string | null>;
  readonly clock: Clock;
  readonly keepAlive: KeepAlive;
  readonly settings: TopologySettings;
  readonly onRefused: (reason: TopologyRefusal) => void;
}): TopologyHolder => {
  const { popId, store, shelf, clock, keepAlive, settings } = options;
  const flights = createFlights<HeldTopology | null>({ clock, keepAlive, waitMs: settings.followerWaitMs, max: 2 });
  const readers = createTopologyReaders();
  let held: HeldTopology | null = null;
  let isStoreAway = false;
  let attemptedAtMs = Number.NEGATIVE_INFINITY;
  let askedControlAtMs = Number.NEGATIVE_INFINITY;

  /** The known topology that the next one is held against. Where KV has no canary any more, what it publishes to all is lower, and right. */
  const knownFor = (next: Topology, isCanary: boolean, origin: Origin): Topology | null => {
    if (held === null) return null;
    const isWithdrawal = held.isCanary && !isCanary && origin === "kv";
    return isWithdrawal ? { ...held.topology, version: Math.min(held.topology.version, next.version) } : held.topology;
  };

  const take = (read: ReadTopology | null, origin: Origin): void => {
    if (read === null) {
      options.onRefused("invalid");
      return;
    }
    const { topology, text } = read;
    const isCanary = read.pops !== null;
    const verdict = held?.topology === topology ? null : guardTopology(knownFor(topology, isCanary, origin), topology);
    if (verdict?.kind === "refuse") {
      options.onRefused(verdict.reason);
      return;
    }
    const generation = (held?.generation ?? 0) + (verdict === null ? 0 : 1);
    held = { topology, trust: trustOf(topology, held?.trust ?? null), origin, readAtMs: clock.now(), isCanary, generation };
    const writing = verdict !== null && origin !== "last_known_good" && !isCanary ? shelf.write(TOPOLOGY_KEY, text) : undefined;
    if (writing !== undefined) keepAlive(writing);
  };

  const takeFromControl = async (): Promise<void> => {
    askedControlAtMs = clock.now();
    const text = await options.askControl();
    if (text !== null) take(readers.published(text), "control");
  };

  /** At a cold start what another isolate last accepted is the known one, so that the guard holds from the first document on. */
  const takeFromShelf = async (): Promise<void> => {
    const text = await shelf.read(TOPOLOGY_KEY);
    if (text !== null && held === null) take(readers.published(text), "last_known_good");
  };

  /** The canary, when it names this POP and is ahead of what is published to all; one that is held stays while KV cannot tell of it. */
  const takeFromKv = (published: DocumentRead, canary: DocumentRead): void => {
    const forAll = published.kind === "found" ? readers.published(published.text) : null;
    const forSome = canary.kind === "found" ? readers.canary(canary.text) : null;
    if (canary.kind === "found" && forSome === null) options.onRefused("invalid");
    const isMine = forSome?.pops?.includes(popId) === true;
    if (isMine && forSome.topology.version > (forAll?.topology.version ?? 0)) take(forSome, "kv");
    else if (published.kind === "found" && !(held?.isCanary && canary.kind === "unreachable")) take(forAll, "kv");
  };

  const refresh = async (): Promise<HeldTopology | null> => {
    attemptedAtMs = clock.now();
    const [published, canary] = await Promise.all([
      store.readDocument(TOPOLOGY_KEY),
      store.readDocument(TOPOLOGY_CANARY_KEY),
      held === null ? takeFromShelf() : undefined,
    ]);
    isStoreAway = published.kind === "unreachable";
    takeFromKv(published, canary);
    if (held === null) await takeFromControl();
    return held;
  };

  return {
    held: () => held,
    current() {
      if (held === null) return flights.share("kv", refresh);
      const nowMs = clock.now();
      const ageMs = nowMs - held.readAtMs;
      if (ageMs < settings.freshMs || nowMs - attemptedAtMs < settings.freshMs) return held;
      if (ageMs < settings.staleMs || isStoreAway) {
        flights.begin("kv", refresh);
        return held;
      }
      return withTimeout(clock, settings.heldWaitMs, flights.share("kv", refresh)).then((read) => (read === TIMED_OUT ? held : read));
    },
    async pastCache() {
      if (clock.now() - askedControlAtMs < settings.pastCacheMs) return held;
      return flights.share("control", async () => {
        await takeFromControl();
        return held;
      });
    },
  };
};
