import { LRUCache } from "lru-cache";
import { signAssertion } from "#schema/crypto/assertion.ts";
import type { SigningKey } from "#schema/crypto/keys.ts";
import type { VinKeyer } from "#schema/crypto/vin-keyer.ts";
import { TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Logger } from "#schema/http/log.ts";
import { type Answers, createAnswers } from "./answers.ts";
import type { Breaker } from "./breaker.ts";
import { type Credentials, createCredentials } from "./caller/credentials.ts";
import { createVehicleKeyer, type Pepper, type VehicleKeyer } from "./caller/vehicle-keyer.ts";
import type { Clock } from "./clock.ts";
import { type ControlClient, type ControlTarget, createControlClient, type PlacementVerdict } from "./control-client.ts";
import { createFlights, type KeepAlive } from "./flights.ts";
import { createInstruments, type Instruments, observeParts } from "./instruments.ts";
import { type Buckets, createBuckets, type Limit } from "./limits.ts";
import { createPointFlusher, type PointFlusher, type WritePoint } from "./points.ts";
import type { ResolveAsk, ResolveDeps } from "./resolve.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import type { Settings } from "./settings.ts";
import type { RouteStore, Shelf } from "./store/port.ts";
import { createTopologyHolder, type TopologyHolder } from "./topology-holder.ts";

const MAX_SUSPECTS = 10_000;

/** What a runtime brings along: Workers bindings in env.ts, fakes in tests. */
export type RouterParts = {
  readonly popId: string;
  readonly signingKey: SigningKey;
  readonly peppers: readonly [Pepper, ...Pepper[]];
  /** WebCrypto's without it. */
  readonly createVinKeyer?: (pepper: string) => VinKeyer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly keepAlive: KeepAlive;
  readonly logger: Logger;
  readonly settings: Settings;
  readonly shelf: Shelf;
  /** The header in which the platform, and nobody else, names the caller's address; without one there are no limits per address. */
  readonly addressHeader?: string;
  readonly admitAddress?: (address: string) => Promise<boolean>;
  /** Whether the store has all that it is to hold; a store that reads on demand always has. */
  readonly isComplete?: () => boolean;
  /** Where counts go beside `/metrics`. */
  readonly writePoint?: WritePoint;
  readonly controlTargets: readonly ControlTarget[];
  readonly createStore: (instruments: Instruments) => { readonly store: RouteStore; readonly breaker: Breaker | null };
};

export type RouterDeps = {
  readonly popId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly settings: Settings;
  readonly instruments: Instruments;
  readonly keyer: VehicleKeyer;
  readonly topology: TopologyHolder;
  readonly control: ControlClient;
  readonly credentials: Credentials;
  readonly answers: Answers;
  readonly resolving: ResolveDeps;
  readonly addressHeader: string | null;
  readonly addresses: Buckets;
  /** Addresses that have sent bad credentials, and until when that is held against them; bounded. */
  readonly suspects: LRUCache<string, number>;
  /** Of `assigned` answers, those that are logged. */
  readonly sampler: Sampler;
  readonly points: PointFlusher;
  /** The platform's own rate limit per address. */
  readonly admitAddress: (address: string) => Promise<boolean>;
  readonly isComplete: () => boolean;
};

/** Wires the router. Nothing here does I/O. */
export const createDeps = (parts: RouterParts): RouterDeps => {
  const { popId, signingKey, clock, keepAlive, logger, settings } = parts;
  const instruments = createInstruments();
  const { store, breaker: kvBreaker } = parts.createStore(instruments);
  const control = createControlClient({
    targets: parts.controlTargets,
    clock,
    settings: settings.control,
    sign: (nowMs) => signAssertion(signingKey, popId, nowMs),
    onOutcome: (target, outcome) => instruments.controlCalls.inc(target, outcome),
  });
  const topology = createTopologyHolder({
    popId,
    store,
    shelf: parts.shelf,
    askControl: () => control.topologyText(),
    clock,
    keepAlive,
    settings: settings.topology,
    onRefused: (reason) => {
      instruments.topologyRefusals.inc(reason);
      logger.error("topology refused", { reason, key: TOPOLOGY_KEY, held: topology.held()?.topology.version ?? null });
    },
  });
  const placements = createFlights<PlacementVerdict>({
    clock,
    keepAlive,
    waitMs: 2 * settings.control.budgetMs,
    max: settings.control.maxInFlight,
  });
  observeParts(instruments, { control, topology, clock, kvBreaker });
  const place = ({ vehicle: { vin }, issuer, traceparent }: ResolveAsk) =>
    placements.share(vin, () => control.place({ vin, issuer, traceparent: traceparent() }));
  const bucketsOf = (limit: Limit) => createBuckets(limit, settings.limits.maxKeys);
  const lookPast = bucketsOf(settings.limits.lookPast);
  const keyer = createVehicleKeyer(parts.peppers, parts.createVinKeyer);
  return {
    ...{ popId, clock, logger, settings, instruments, keyer, topology, control },
    random: parts.random,
    addressHeader: parts.addressHeader ?? null,
    sampler: createSampler(settings.logSample),
    points: createPointFlusher({ metrics: instruments.metrics, clock, popId, write: parts.writePoint ?? null }),
    suspects: new LRUCache({ max: MAX_SUSPECTS }),
    admitAddress: parts.admitAddress ?? (async () => true),
    isComplete: parts.isComplete ?? (() => true),
    credentials: createCredentials({
      ...{ clock, keyer, max: settings.maxCredentials },
      limits: { caller: bucketsOf(settings.limits.caller), issuer: bucketsOf(settings.limits.issuer) },
    }),
    answers: createAnswers({ popId, signingKey, clock, max: settings.maxAnswers }),
    resolving: {
      store,
      topology,
      place,
      confirm: async (ask) =>
        placements.isUnderWay(ask.vehicle.vin) || lookPast.of(ask.vehicle.vin).take(1, clock.now()) === 0 ? place(ask) : { kind: "away" },
    },
    addresses: bucketsOf(settings.limits.address),
  };
};
