import type { BreakerSettings } from "./breaker.ts";
import type { Limit } from "./limits.ts";

export type RouteSettings = {
  /** Records held in one isolate. */
  readonly maxHeld: number;
  /** Up to this age a held record is answered as it is. */
  readonly freshMs: number;
  /** Up to this age it is answered and read again behind the answer; beyond, the reading is waited for. */
  readonly staleMs: number;
  /** How long a vehicle whose record is held waits for that reading. */
  readonly heldWaitMs: number;
  /** How long after a failed reading the held record is not read again. */
  readonly retryMs: number;
  /** How long a follower waits for another request's reading before it reads itself. */
  readonly followerWaitMs: number;
  readonly maxFlights: number;
};

export type TopologySettings = {
  readonly freshMs: number;
  /** Beyond this age (an isolate that slept) the reading is waited for, `heldWaitMs` at most. */
  readonly staleMs: number;
  readonly heldWaitMs: number;
  readonly followerWaitMs: number;
  /** Control is asked for the topology no more often than this. */
  readonly pastCacheMs: number;
};

export type ControlSettings = {
  /** For one placement, every attempt included. */
  readonly budgetMs: number;
  /** For the first of two targets, so that the second still has its turn. */
  readonly firstAttemptMs: number;
  readonly topologyTimeoutMs: number;
  /** Calls in flight from one isolate; above it placements are refused at once (known vehicles need none). */
  readonly maxInFlight: number;
  readonly breaker: BreakerSettings;
};

export type LimitSettings = {
  readonly maxKeys: number;
  /** Per vehicle, owner or operator. */
  readonly caller: Limit;
  readonly issuer: Limit;
  readonly address: Limit;
  /** Asking control past a held record, per vehicle. */
  readonly lookPast: Limit;
  /** What a credential that was not verified before costs, in tokens. */
  readonly unseenCost: number;
};

export type Settings = {
  readonly routes: RouteSettings;
  readonly topology: TopologySettings;
  readonly control: ControlSettings;
  readonly limits: LimitSettings;
  readonly kv: { readonly timeoutMs: number; readonly cacheTtlSeconds: number; readonly breaker: BreakerSettings };
  /** Last-known-good writes of one isolate. */
  readonly shelf: { readonly pace: Limit; readonly maxRemembered: number };
  readonly maxCredentials: number;
  readonly maxAnswers: number;
  /** One of so many `assigned` answers is logged. */
  readonly logSample: number;
};

/** Sized for one isolate of 128 MB: 50,000 records are about 15 MB, 20,000 credentials 20 MB, 10,000 answers 30 MB. */
export const DEFAULT_SETTINGS: Settings = {
  routes: {
    maxHeld: 50_000,
    freshMs: 30_000,
    staleMs: 300_000,
    heldWaitMs: 250,
    retryMs: 5_000,
    followerWaitMs: 2_500,
    maxFlights: 10_000,
  },
  topology: { freshMs: 5_000, staleMs: 60_000, heldWaitMs: 250, followerWaitMs: 2_500, pastCacheMs: 1_000 },
  control: {
    budgetMs: 800,
    firstAttemptMs: 500,
    topologyTimeoutMs: 800,
    maxInFlight: 256,
    breaker: { failures: 5, openMs: 2_000, probeMs: 2_000 },
  },
  limits: {
    maxKeys: 50_000,
    caller: { name: "caller", perSecond: 50, burst: 200 },
    issuer: { name: "issuer", perSecond: 50_000, burst: 100_000 },
    address: { name: "address", perSecond: 2_000, burst: 10_000 },
    lookPast: { name: "look-past", perSecond: 0.2, burst: 3 },
    unseenCost: 5,
  },
  kv: { timeoutMs: 1_000, cacheTtlSeconds: 30, breaker: { failures: 5, openMs: 2_000, probeMs: 2_000 } },
  shelf: { pace: { name: "shelf", perSecond: 20, burst: 20 }, maxRemembered: 20_000 },
  maxCredentials: 20_000,
  maxAnswers: 10_000,
  logSample: 1_000,
};
