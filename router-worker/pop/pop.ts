import { join } from "node:path";
import { importSigningKey } from "#schema/crypto/keys.ts";
import type { Logger } from "#schema/http/log.ts";
import { createBreaker } from "../breaker.ts";
import { systemClock } from "../clock.ts";
import type { ControlTarget } from "../control-client.ts";
import { createDeps, type RouterDeps } from "../deps.ts";
import { DEFAULT_SETTINGS, type Settings } from "../settings.ts";
import type { Shelf } from "../store/port.ts";
import { followFeed } from "../store/replica/follow-feed.ts";
import { createReplica, type Replica } from "../store/replica/replica.ts";
import { loadReplica, saveReplica } from "../store/replica/replica-file.ts";
import { createReplicaStore } from "../store/replica/replica-store.ts";
import type { PopConfig } from "./config.ts";
import { createFeedClient, joinAsPop } from "./feed-client.ts";
import { loadPopKey } from "./identity.ts";
import { createDirectVinKeyer } from "./vin-keyer.ts";

/** One process instead of many isolates: more is held than on Workers. The topology comes with the feed, from memory. */
const POP_SETTINGS: Settings = {
  ...DEFAULT_SETTINGS,
  topology: { ...DEFAULT_SETTINGS.topology, freshMs: 500 },
  maxCredentials: 200_000,
  maxAnswers: 200_000,
};
const MAX_LEARNT = 100_000;

/** The replica holds the topology and keeps it on disk; there is nothing else to shelve. */
const NO_SHELF: Shelf = { read: async () => null, write: async () => undefined };

const targetOf = (url: string): ControlTarget => ({
  name: url,
  breaker: createBreaker(systemClock, POP_SETTINGS.control.breaker),
  fetch: (request) => fetch(request.url.replace("http://control", url), request),
});

const openReplica = async (path: string, logger: Logger): Promise<Replica> => {
  const saved = await loadReplica(path);
  if ("table" in saved) logger.info("last-known-good loaded", { vehicles: saved.table.size() });
  else if (saved.kind === "damaged") logger.error("last-known-good refused: starting without it", { detail: saved.detail });
  return createReplica(systemClock, "table" in saved ? saved : null);
};

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, signal.aborted ? 0 : ms);
    signal.addEventListener("abort", end);
  });

export type Pop = {
  readonly deps: RouterDeps;
  /** Joins if it must, then follows the feed until it is stopped; the copy is saved now and then, and at the end. */
  run(signal: AbortSignal): Promise<void>;
};

/** A self-hosted POP: the router over a replica of all routing data. */
export const createPop = async (config: PopConfig, logger: Logger): Promise<Pop> => {
  const path = join(config.dataDir, "replica.gz");
  const key = await loadPopKey(config.dataDir, config.popId);
  const signingKey = await importSigningKey(key);
  const replica = await openReplica(path, logger);
  const ask = createFeedClient({ urls: config.controlUrls, popId: config.popId, signingKey });
  const deps = createDeps({
    popId: config.popId,
    signingKey,
    peppers: config.peppers,
    createVinKeyer: createDirectVinKeyer,
    clock: systemClock,
    random: Math.random,
    keepAlive: () => undefined,
    logger,
    settings: POP_SETTINGS,
    shelf: NO_SHELF,
    isComplete: () => replica.isComplete(),
    controlTargets: config.controlUrls.map(targetOf),
    createStore: () => ({ store: createReplicaStore(replica, systemClock, MAX_LEARNT), breaker: null }),
  });
  const { metrics } = deps.instruments;
  metrics.gauge("cloverleaf_router_replica_staleness_seconds", "Since the change feed last answered.", () => {
    const stalenessMs = replica.stalenessMs();
    return stalenessMs === null ? [] : [{ labels: [], value: stalenessMs / 1000 }];
  });
  metrics.gauge("cloverleaf_router_replica_vehicles", "Vehicles in the replica.", () => [{ labels: [], value: replica.table.size() }]);

  /** The revision that is on disk; null while there is none. */
  let savedRevision = replica.isComplete() ? replica.revision() : null;
  const save = async (): Promise<void> => {
    const snapshot = replica.snapshot();
    const revision = replica.revision();
    if (snapshot === null || savedRevision === revision) return;
    try {
      await saveReplica(path, snapshot);
      savedRevision = revision;
    } catch (error) {
      logger.error("last-known-good not saved", { error });
    }
  };

  /** A refusal is final: the token was for another, or this key joined before, and then the feed answers it. */
  const joinControl = async (joinToken: string, signal: AbortSignal): Promise<void> => {
    for (let waitMs = 500; !signal.aborted; waitMs = Math.min(waitMs * 2, 30_000)) {
      const outcome = await joinAsPop(config.controlUrls, joinToken, config.popId, key);
      if (outcome.kind === "joined") return logger.info("joined", { pop: config.popId });
      if (outcome.kind === "refused") return logger.error("joining refused", { detail: outcome.detail });
      logger.warn("joining failed, trying again", { detail: outcome.detail });
      await sleep(Math.random() * waitMs, signal);
    }
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    let wasAway = false;
    while (!signal.aborted) {
      const step = await followFeed(ask, replica);
      if ((step === "away") !== wasAway) logger.warn(wasAway ? "the feed answers again" : "the feed is away: serving what is held");
      wasAway = step === "away";
      if (step !== "more") await sleep(config.feedIntervalMs * (0.9 + 0.2 * Math.random()), signal);
    }
  };

  /** As soon as the first copy is whole, then now and then, and at the end. */
  const saveRegularly = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await sleep(savedRevision === null ? config.feedIntervalMs : config.saveIntervalMs, signal);
      await save();
    }
  };

  return {
    deps,
    async run(signal) {
      if (config.joinToken !== undefined) await joinControl(config.joinToken, signal);
      await Promise.all([follow(signal), saveRegularly(signal)]);
    },
  };
};
