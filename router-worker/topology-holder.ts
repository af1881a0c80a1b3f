import { parseTopology } from "#schema/api/topology.ts";
import { TOPOLOGY_KEY } from "#schema/domain/route.ts";
import { guardTopology, type Topology } from "#schema/domain/topology.ts";
import { type Clock, TIMED_OUT, withTimeout } from "./clock.ts";
import { createFlights, type KeepAlive } from "./flights.ts";
import type { TopologySettings } from "./settings.ts";
import type { Origin, RouteStore, Shelf } from "./store/port.ts";
import { type Trust, trustOf } from "./trust.ts";

/** The topology that this edge holds, with what follows from it. */
export type HeldTopology = {
  readonly topology: Topology;
  readonly trust: Trust;
  readonly origin: Origin;
  readonly readAtMs: number;
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

const parseText = (text: string): Topology | null => {
  try {
    return parseTopology(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/** Keeps the newest topology that the guard lets through (design §4.4); what it refuses is counted and the known one kept. */
export const createTopologyHolder = (options: {
  readonly store: Pick<RouteStore, "readDocument">;
  readonly shelf: Shelf;
  /** Control's own copy; null when control is away. */
  readonly askControl: () => Promise<string | null>;
  readonly clock: Clock;
  readonly keepAlive: KeepAlive;
  readonly settings: TopologySettings;
  readonly onRefused: (reason: TopologyRefusal) => void;
}): TopologyHolder => {
  const { store, shelf, clock, keepAlive, settings } = options;
  const flights = createFlights<HeldTopology | null>({ clock, keepAlive, waitMs: settings.followerWaitMs, max: 2 });
  let held: HeldTopology | null = null;
  let heldText = "";
  let attemptedAtMs = Number.NEGATIVE_INFINITY;
  let askedControlAtMs = Number.NEGATIVE_INFINITY;

  const take = (text: string, origin: Origin): void => {
    const readAtMs = clock.now();
    if (held !== null && text === heldText) {
      held = { ...held, origin, readAtMs };
      return;
    }
    const topology = parseText(text);
    const verdict = topology === null ? null : guardTopology(held?.topology ?? null, topology);
    if (topology === null || verdict === null || verdict.kind === "refuse") {
      options.onRefused(verdict?.kind === "refuse" ? verdict.reason : "invalid");
      return;
    }
    held = { topology, trust: trustOf(topology, held?.trust ?? null), origin, readAtMs };
    heldText = text;
    if (origin !== "last_known_good") keepAlive(shelf.write(TOPOLOGY_KEY, text));
  };

  const takeFromControl = async (): Promise<void> => {
    askedControlAtMs = clock.now();
    const text = await options.askControl();
    if (text !== null) take(text, "control");
  };

  /** At a cold start what another isolate last accepted is the known one, so that the guard holds from the first document on. */
  const takeFromShelf = async (): Promise<void> => {
    const text = await shelf.read(TOPOLOGY_KEY);
    if (text !== null && held === null) take(text, "last_known_good");
  };

  const refresh = async (): Promise<HeldTopology | null> => {
    attemptedAtMs = clock.now();
    const [read] = await Promise.all([store.readDocument(TOPOLOGY_KEY), held === null ? takeFromShelf() : undefined]);
    if (read.kind === "found") take(read.text, "kv");
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
      if (ageMs < settings.staleMs) {
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
