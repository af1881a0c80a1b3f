import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { maySubscribe, topicOf } from "#schema/domain/topic.ts";
import type { Logger } from "#schema/http/log.ts";
import type { AdmissionContext } from "./admission/admit-vehicle.ts";
import { createCredentialReader } from "./admission/credentials.ts";
import { createFailovers } from "./admission/failovers.ts";
import { createCellStanding } from "./admission/footing.ts";
import { createTableCompleteness } from "./admission/table-completeness.ts";
import { createTokenBucket } from "./admission/token-bucket.ts";
import { isForgettable, type Vehicle } from "./admission/vehicle.ts";
import { loadVehicleTable } from "./admission/vehicle-table.ts";
import { createWorld } from "./admission/world.ts";
import { createApp } from "./app.ts";
import { createClock } from "./clock.ts";
import { type Config, LIMITS, type Limits } from "./config.ts";
import { createAedesBroker } from "./gateway/aedes-broker.ts";
import type { Broker } from "./gateway/broker.ts";
import { farewellOf } from "./gateway/farewells.ts";
import { createGateway } from "./gateway/gateway.ts";
import { type Listener, listenPlain, listenTls } from "./gateway/listeners.ts";
import { startGbt32960 } from "./gbt32960/attach.ts";
import { listenHttp } from "./http/listen.ts";
import { createMetrics } from "./metrics.ts";
import { startMoves } from "./move/attach.ts";
import { loadMarks } from "./move/marks.ts";
import { startRules } from "./rules/attach.ts";
import { toRuleMessage } from "./rules/stored-message.ts";
import { startStandby } from "./standby/attach.ts";
import { observeStore } from "./standby/observe-store.ts";
import { loadReplicas } from "./standby/replicas.ts";
import { createStays } from "./standby/stays.ts";
import { startEngine } from "./store/engine.ts";
import { createStore } from "./store/store.ts";
import { createControlClient } from "./sync/control-client.ts";
import { loadIdentity } from "./sync/identity.ts";
import { createBell, runLoop } from "./sync/run-loop.ts";
import { createSyncer } from "./sync/sync-loop.ts";
import { startTwins } from "./twin/start-twins.ts";
import { createCommandDesk } from "./vehicle/command-desk.ts";
import { createServing } from "./vehicle/serving.ts";
import { takeMessage } from "./vehicle/take-message.ts";

/** A running cell; ports are the ones really bound. */
export type Cell = {
  readonly ports: { readonly http: number; readonly plain: number | null; readonly tls: number | null; readonly gbt32960: number | null };
  /** Drains: no new connection, goodbyes, everything that was taken is on disk. */
  stop(): Promise<void>;
};

export type CellDependencies = {
  readonly logger: Logger;
  /** Storage is gone: the process should end and be started again. */
  readonly onFatal: (error: Error) => void;
  readonly limits?: Limits;
};

const WITHHELD = { kind: "withheld" } as const;

const TICK_MS = 1_000;
const RELOAD_MS = 5_000;
const FORGET_MS = 3_600_000;

/** Wires the cell together in the order in which its parts need each other, and starts serving. */
export const startCell = async (config: Config, { logger, onFatal, limits = LIMITS }: CellDependencies): Promise<Cell> => {
  await mkdir(config.dataFolder, { recursive: true, mode: 0o700 });
  const clock = createClock();
  const metrics = createMetrics();
  const identity = await loadIdentity(config.dataFolder, config.cell);
  const engine = await startEngine({
    path: join(config.dataFolder, "cell.db"),
    onFatal,
    onCommit(rows, seconds) {
      metrics.committedRows.inc(rows);
      metrics.commitSeconds.observe(seconds);
    },
  });
  const store = observeStore(createStore(engine), (vehicles) => standby.touch(vehicles));
  const facts = await store.facts();
  const incarnation = Number(facts.get("incarnation") ?? 0) + 1;
  await store.save({ facts: [["incarnation", String(incarnation)]] });

  let world = createWorld();
  let isStopping = false;
  const table = await loadVehicleTable(store);
  const completeness = createTableCompleteness(limits.silenceMs, clock.monotonicMs);
  const marks = await loadMarks(store);
  const failovers = createFailovers(config.cell, facts.get("failovers"), () => world);
  const stays = createStays();
  const replicas = await loadReplicas(store);
  const standing = createCellStanding({ self: config.cell, table, completeness, failovers, stays });
  const serving = createServing(standing.footingOf);
  const dismiss = (vehicle: Vehicle) => {
    const { phase, standby: host } = failovers.of(config.cell);
    broker.dismiss(vehicle.vinKey, farewellOf(vehicle, world, phase === "serving" ? null : host));
    serving.review();
  };
  const admission: AdmissionContext = {
    ...{ self: config.cell, table, world: () => world, standing, failovers, stays, replicas, clock },
    onMovedAway: dismiss,
    onWelcome: (vehicle) => standby.host.welcome(vehicle),
  };

  const commands = await createCommandDesk({
    ...{ self: config.cell, key: identity.key, store, clock, metrics, logger },
    broker: () => broker,
    serving,
  });
  const twins = startTwins({ admission, store, serving, logger, broker: () => broker });
  const rules = await startRules(
    { admission, store, commands, logger, registry: metrics.registry, ports: { patchTwin: twins.patchTwin } },
    { dataFolder: config.dataFolder, maxVehicles: config.hardLimit, settings: config.rules },
  );
  const messages = { store, commands, twins: twins.desk, clock, metrics, rules: rules.engine };
  const broker: Broker = await createAedesBroker({
    hooks: {
      onPublish: async (session, publication) =>
        (await serving.whenServed(session.vehicle, () => takeMessage(messages, session, publication))) ?? WITHHELD,
      maySubscribe: (session, filter) => maySubscribe(session.vin, filter),
      onSubscribed(session, topics) {
        void commands.deliverTo(session);
        if (topics.includes(topicOf(session.vin, "twin/desired"))) twins.onListening(session.vinKey);
      },
    },
    ...{ limits, maxSessions: config.hardLimit, logger },
  });
  const standby = startStandby({
    ...{
      self: config.cell,
      key: identity.key,
      world: () => world,
      table,
      failovers,
      stays,
      replicas,
      serving,
      store,
      commands,
      twins,
      clock,
    },
    ...{ logger, registry: metrics.registry, dismiss, streams: facts.get("replicas") },
    broker: () => broker,
  });
  /** Whom the cell serves no more, by a failover or its end. */
  const dismissLost = () => {
    for (const { vin, vehicle } of broker.sessions()) {
      const lost = standing.footingOf(vehicle) === "lost" ? table.get(vin) : undefined;
      if (lost !== undefined) dismiss(lost);
    }
    serving.review();
  };
  const bell = createBell();
  const moves = await startMoves({
    ...{ admission, key: identity.key, marks, serving, store, commands, twins, broker, logger, dismiss },
    onReport: bell.ring,
    guestReports: standby.guestReports,
  });
  const gateway = createGateway({
    ...{ admission, broker, limits, metrics, logger, onAdmitted: moves.onAdmitted },
    readCredential: createCredentialReader(limits.verifiedTokens),
    takeConnect: createTokenBucket(config.connectRate, config.connectBurst),
  });

  const isReady = () => !isStopping && completeness.isComplete();
  const app = createApp({
    ...{ admission, commands, store, limits, metrics, marks, standby, rules, twins: twins.desk, logger, isReady },
    key: identity.key,
  });
  const http = await listenHttp(app, config.http);
  const onSocket = gateway.accept;
  const { host } = config.http;
  const plain = config.plain === null ? null : await listenPlain({ port: config.plain.port, host, onSocket });
  const tls = config.tls === null ? null : await listenTls({ ...config.tls, host, onSocket, handshakeMs: limits.handshakeMs });
  const gbt32960 =
    config.gbt32960 === null
      ? null
      : await startGbt32960(
          {
            admission,
            store,
            serving,
            logger,
            registry: metrics.registry,
            onStored: (message) => rules.engine.take(toRuleMessage(message)),
          },
          { ...config.gbt32960, host, maxConnections: config.hardLimit },
        );

  const syncer = await createSyncer({
    ...{ self: config.cell, store, table, completeness, failovers, clock, logger, marks, exchange: moves.exchange },
    control: createControlClient({
      ...{ urls: config.controlUrls, cell: config.cell, identity, clock },
      timeoutMs: limits.syncTimeoutMs,
    }),
    registration:
      config.joinToken === null
        ? null
        : {
            ...{ joinToken: config.joinToken, id: config.cell, publicKey: identity.publicKey, region: config.region, zone: config.zone },
            ...{ endpoints: config.endpoints, release: config.release },
            capacity: { hardLimit: config.hardLimit, warnShare: 0.7, requestShare: 0.85 },
          },
    observe: () => ({
      incarnation,
      release: config.release,
      health: "ok",
      metrics: { sessions: broker.connected, vehicles: table.size },
      witness: [],
    }),
    onWorld: (next) => {
      world = next;
      metrics.viewVersion.set(next.version);
      dismissLost();
    },
    onFailovers: dismissLost,
    onLost(vehicles) {
      for (const vehicle of vehicles) {
        dismiss(vehicle);
        rules.engine.forget(vehicle.vinKey);
        void twins.forget(vehicle.number);
      }
    },
  });
  const stopping = new AbortController();
  const syncing = runLoop(syncer, {
    usualMs: limits.syncMs,
    retryMs: limits.retryMs,
    signal: stopping.signal,
    logger,
    bell,
    onPace(outcome) {
      metrics.syncs.inc({ outcome });
      serving.review();
    },
  });
  const ticking = setInterval(() => {
    metrics.tableComplete.set(completeness.isComplete() ? 1 : 0);
    metrics.sessions.set(broker.connected);
    void standby.step();
    serving.review();
    metrics.vehicles.set(table.size);
    rules.engine.tick(clock.nowMs());
    commands.sweep().catch((error: unknown) => logger.error("commands could not be swept", { error }));
  }, TICK_MS);
  const reloading = setInterval(() => void rules.desk.reload(), RELOAD_MS);
  const forgetting = setInterval(() => {
    const drop = [...table.all()].filter((vehicle) => isForgettable(vehicle, clock.nowMs()));
    table.update({ set: [], drop, erase: [] }).catch((error: unknown) => logger.error("moved vehicles could not be forgotten", { error }));
  }, FORGET_MS);
  logger.info("cell started", {
    cell: config.cell,
    incarnation,
    vehicles: table.size,
    http: http.port,
    mqtt: plain?.port,
    mqtts: tls?.port,
    gbt32960: gbt32960?.port,
  });

  return {
    ports: { http: http.port, plain: plain?.port ?? null, tls: tls?.port ?? null, gbt32960: gbt32960?.port ?? null },
    async stop() {
      isStopping = true;
      stopping.abort();
      clearInterval(ticking);
      clearInterval(forgetting);
      clearInterval(reloading);
      const listeners: readonly Listener[] = [plain, tls].filter((listener) => listener !== null);
      const httpClosed = http.close();
      for (const listener of listeners) listener.stopAccepting();
      await Promise.all([broker.close(), gbt32960?.close()]);
      await Promise.all(listeners.map((listener) => listener.close()));
      const bound = new Promise((resolve) => setTimeout(resolve, limits.drainOnStopMs).unref());
      await Promise.race([Promise.all([httpClosed, syncing]), bound]);
      await store.close();
      logger.info("cell stopped", { cell: config.cell });
    },
  };
};
