import { importSigningKey } from "#schema/crypto/keys.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { createLogger } from "#schema/http/log.ts";
import { createApp } from "../../../router-worker/app.ts";
import { createBreaker } from "../../../router-worker/breaker.ts";
import { createDeps } from "../../../router-worker/deps.ts";
import type { WritePoint } from "../../../router-worker/points.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../../router-worker/settings.ts";
import { createKvReader } from "../../../router-worker/store/kv-reader.ts";
import type { Shelf } from "../../../router-worker/store/port.ts";
import { createWorkersKvStore } from "../../../router-worker/store/workers-kv.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createFakeControl } from "./fake-control.ts";
import { createFakeKv } from "./fake-kv.ts";
import { deviceToken, KEYS, OLD_PEPPER, PEPPER, POP, recordText, routeKey, TOPOLOGY_KEY, topologyOf, vinKeyOf } from "./world.ts";

export const createMemoryShelf = (): Shelf & { readonly values: Map<string, string> } => {
  const values = new Map<string, string>();
  return {
    values,
    read: async (key) => values.get(key) ?? null,
    write: async (key, value) => {
      values.set(key, value);
    },
  };
};

type Options = {
  readonly settings?: Partial<Settings>;
  readonly shelf?: Shelf;
  readonly topology?: Topology | null;
  readonly admitAddress?: (address: string) => Promise<boolean>;
  readonly writePoint?: WritePoint;
};

/** A whole router over fakes: KV with a topology, a control-worker and its standby, a clock that moves by hand. */
export const createTestRouter = async (options: Options = {}) => {
  const clock = createFakeClock();
  const kv = createFakeKv(clock);
  const vinKeys = new Map<string, string>();
  const keyOf = (vin: string): string => vinKeys.get(vin) ?? "A".repeat(22);
  const control = createFakeControl(clock, keyOf);
  const standby = createFakeControl(clock, keyOf, "standby");
  standby.state.mode = "not_the_writer";
  const shelf = options.shelf ?? createMemoryShelf();
  const background: Promise<unknown>[] = [];
  const logs: Record<string, unknown>[] = [];
  const settings: Settings = { ...DEFAULT_SETTINGS, ...options.settings };
  const keepAlive = (work: Promise<unknown>) => void background.push(work);
  if (options.topology !== null) kv.values.set(TOPOLOGY_KEY, JSON.stringify(options.topology ?? topologyOf()));

  const deps = createDeps({
    popId: POP,
    signingKey: await importSigningKey(KEYS.pop),
    peppers: [PEPPER, OLD_PEPPER],
    clock,
    random: () => 0.5,
    keepAlive,
    logger: createLogger("router-worker", "debug", (line) => logs.push(JSON.parse(line) as Record<string, unknown>)),
    settings,
    shelf,
    addressHeader: "CF-Connecting-IP",
    ...(options.admitAddress !== undefined && { admitAddress: options.admitAddress }),
    ...(options.writePoint !== undefined && { writePoint: options.writePoint }),
    controlTargets: [control.target, standby.target],
    createStore: (instruments) => {
      const breaker = createBreaker(clock, settings.kv.breaker);
      const observe = (outcome: string) => instruments.kvReads.inc(outcome);
      const reader = createKvReader({
        kv: kv.source,
        clock,
        breaker,
        ...{ timeoutMs: settings.kv.timeoutMs, cacheTtlSeconds: 30 },
        observe,
      });
      const onCorrupt = () => instruments.corrupt.inc();
      return { store: createWorkersKvStore({ reader, shelf, clock, keepAlive, settings: settings.routes, onCorrupt }), breaker };
    },
  });
  const app = createApp(deps);

  return {
    ...{ app, clock, kv, control, standby, shelf, logs, deps, background },
    publish: (topology: Topology) => void kv.values.set(TOPOLOGY_KEY, JSON.stringify(topology)),
    async assign(vin: Vin, cell: string, epoch: number) {
      kv.values.set(await routeKey(vin), recordText(cell, epoch));
    },
    async place(vin: Vin, cell: string, epoch: number, reason: "assigned" | "placed" = "placed") {
      const parsed = parseVin(vin);
      if (isVin(parsed)) vinKeys.set(vin, await vinKeyOf(parsed));
      control.assignments.set(vin, { cell, epoch, reason });
    },
    /** Asks as the vehicle, with a new token unless one is given. */
    async ask(vin: Vin, path = "/v1/route", headers: Record<string, string> = {}, token?: string) {
      const bearer = token ?? (await deviceToken(vin, clock.now()));
      return app.request(path, { headers: { Authorization: `Bearer ${bearer}`, ...headers } });
    },
  };
};
export type TestRouter = Awaited<ReturnType<typeof createTestRouter>>;
