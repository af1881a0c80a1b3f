import type { AnalyticsEngineDataset, CacheStorage, Fetcher, KVNamespace, RateLimit } from "@cloudflare/workers-types";
import * as z from "zod";
import { importSigningKey, type PrivateJwk } from "#schema/crypto/keys.ts";
import { createLogger, LOG_LEVELS } from "#schema/http/log.ts";
import { createBreaker } from "./breaker.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ControlTarget } from "./control-client.ts";
import { createDeps, type RouterDeps } from "./deps.ts";
import type { KeepAlive } from "./flights.ts";
import { createBuckets } from "./limits.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";
import { createCacheShelf, type ShelfCache } from "./store/cache-shelf.ts";
import { createKvReader, kvSourceOf } from "./store/kv-reader.ts";
import { createPacedShelf } from "./store/paced-shelf.ts";
import { createWorkersKvStore } from "./store/workers-kv.ts";

/** The bindings of the router worker. */
export type Env = {
  readonly ROUTES: KVNamespace;
  readonly CONTROL: Fetcher;
  /** A second control-worker, asked when the first does not answer. */
  readonly CONTROL_STANDBY?: Fetcher;
  readonly POP_ID: string;
  readonly POP_PRIVATE_JWK: string;
  readonly PEPPERS: string;
  readonly LOG_LEVEL?: string;
  /** Asked about addresses that have sent bad credentials. */
  readonly ADDRESS_LIMIT?: RateLimit;
  /** Where the counts of all isolates meet. */
  readonly POINTS?: AnalyticsEngineDataset;
};

const JsonText = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The text may be a key: neither it nor the parser's message is repeated.
    context.issues.push({ code: "custom", input: "", message: "is not JSON" });
    return z.NEVER;
  }
});

const PrivateJwkField = z.looseObject({ kty: z.enum(["OKP", "EC"]), kid: z.string().min(1), d: z.string().min(1) });
const PepperField = z.object({ id: z.string().regex(/^[a-z0-9]{1,8}$/), secret: z.string().min(32) });

const Variables = z.object({
  POP_ID: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/),
  POP_PRIVATE_JWK: JsonText.pipe(PrivateJwkField),
  PEPPERS: JsonText.pipe(z.tuple([PepperField], PepperField)),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
});

const targetOf = (name: string, binding: Fetcher, clock: Clock, settings: Settings): ControlTarget => ({
  name,
  fetch: async (request) => (await binding.fetch(request as never)) as unknown as Response,
  breaker: createBreaker(clock, settings.control.breaker),
});

/** Reads the bindings, once per isolate, and wires the router over Workers KV. Throws on bindings that are missing or malformed. */
export const createWorkerDeps = async (env: Env, keepAlive: KeepAlive, caches: CacheStorage): Promise<RouterDeps> => {
  const variables = Variables.parse(env);
  const { ADDRESS_LIMIT, POINTS } = env;
  const clock = systemClock;
  const settings = DEFAULT_SETTINGS;
  const logger = createLogger("router-worker", variables.LOG_LEVEL);
  const kvBreaker = createBreaker(clock, settings.kv.breaker);
  const openCache = () => caches.open("cloverleaf") as unknown as Promise<ShelfCache>;
  const cacheShelf = createCacheShelf(openCache, (error) => logger.debug("the data centre's cache failed", { error }));
  const shelf = createPacedShelf(cacheShelf, createBuckets(settings.shelf.pace, 1).of("writes"), clock, settings.shelf.maxRemembered);
  return createDeps({
    popId: variables.POP_ID,
    signingKey: await importSigningKey(variables.POP_PRIVATE_JWK as PrivateJwk),
    peppers: variables.PEPPERS,
    clock,
    random: Math.random,
    keepAlive,
    logger,
    settings,
    shelf,
    addressHeader: "CF-Connecting-IP",
    ...(ADDRESS_LIMIT !== undefined && { admitAddress: async (key) => (await ADDRESS_LIMIT.limit({ key })).success }),
    ...(POINTS !== undefined && { writePoint: (point) => POINTS.writeDataPoint(point) }),
    controlTargets: [
      targetOf("control", env.CONTROL, clock, settings),
      ...(env.CONTROL_STANDBY === undefined ? [] : [targetOf("standby", env.CONTROL_STANDBY, clock, settings)]),
    ],
    createStore: (instruments) => {
      const reader = createKvReader({
        kv: kvSourceOf(env.ROUTES),
        ...settings.kv,
        clock,
        breaker: kvBreaker,
        observe: (outcome, tookMs) => {
          instruments.kvReads.inc(outcome);
          instruments.kvSeconds.observe(tookMs / 1000);
        },
      });
      const onCorrupt = () => instruments.corrupt.inc();
      return { store: createWorkersKvStore({ reader, shelf, clock, keepAlive, settings: settings.routes, onCorrupt }), breaker: kvBreaker };
    },
  });
};
