import { createHash } from "node:crypto";
import type { Client } from "@libsql/client";
import type { Hono } from "hono";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { createLogger } from "#schema/http/log.ts";
import { createApp } from "../../../control-worker/app.ts";
import { type Config, parseConfig } from "../../../control-worker/config.ts";
import type { Deps } from "../../../control-worker/deps.ts";
import { ControlCore } from "../../../control-worker/ledger/control-core.ts";
import { databaseOf } from "../../../control-worker/store/database.ts";
import { createDatabase, type TestDatabase } from "./database.ts";
import { FakeKv } from "./fake-kv.ts";

export const ADMIN_TOKEN = "clv_test-admin";
export const DEVICE_ISSUER = "https://devices.test";

export const VARIABLES = {
  DATABASE_URL: "http://127.0.0.1:1",
  PEPPERS: JSON.stringify([{ id: "p1", secret: "pepper-of-the-unit-tests-0123456789" }]),
  ADMIN_TOKEN_SHA256: createHash("sha256").update(ADMIN_TOKEN).digest("hex"),
  ISSUERS: JSON.stringify([{ issuer: DEVICE_ISSUER, kind: "device", wmis: [""], keys: [] }]),
  ALLOWED_HOSTS: JSON.stringify(["cells.test"]),
  PLACEABLE_AFTER_SECONDS: "0",
};

export type ControlOptions = {
  readonly database?: TestDatabase;
  readonly kv?: FakeKv;
  readonly holder?: string;
  readonly variables?: Partial<Record<keyof typeof VARIABLES, string>>;
  /** Wraps every client that is opened. */
  readonly wrap?: (client: Client) => Client;
  readonly fetch?: Deps["fetch"];
};

export type Control = {
  readonly app: Hono;
  readonly core: ControlCore;
  readonly deps: Deps;
  readonly database: TestDatabase;
  readonly kv: FakeKv;
  readonly config: Config;
  readonly clock: { now: number };
  readonly logs: string[];
  readonly close: () => void;
};

let databases = 0;
const noCell: Deps["fetch"] = async () => new Response(null, { status: 502 });

/** A whole control-worker on a real libSQL file; only KV, the clock and the way to cells are the test's. */
export const createControl = async (options: ControlOptions = {}): Promise<Control> => {
  const database = options.database ?? (await createDatabase());
  const kv = options.kv ?? new FakeKv();
  const config = parseConfig({ ...VARIABLES, DATABASE_URL: `${database.url}#${++databases}`, ...options.variables });
  const logs: string[] = [];
  const logger = createLogger("control-worker", "info", (line) => void logs.push(line));
  const clock = { now: Date.now() };
  const wrap = options.wrap ?? ((client) => client);
  const core = new ControlCore({
    open: () => wrap(database.open()),
    kv,
    config,
    logger,
    holder: options.holder ?? "instance-a",
    clock: () => clock.now,
    random: () => 0.5,
    later: () => {},
    fetch: options.fetch ?? noCell,
  });
  const client = database.open();
  const deps: Deps = {
    database: databaseOf(client),
    ledger: core,
    routes: kv,
    config,
    vinKeyer: createVinKeyer(config.peppers[0].secret),
    logger,
    clock: () => clock.now,
    sleep: async () => {},
    fetch: options.fetch ?? noCell,
  };
  const close = () => {
    client.close();
    if (options.database === undefined) database.remove();
  };
  return { app: createApp(logger, () => deps), core, deps, database, kv, config, clock, logs, close };
};

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: Record<string, unknown> };

const parseJson = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** Calls the app; an object body is sent as JSON. */
export const call = async (
  app: Hono,
  method: string,
  path: string,
  options: { token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> => {
  const { token = ADMIN_TOKEN, body, headers = {} } = options;
  const isRaw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
  const response = await app.request(path, {
    method,
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body), duplex: "half" }),
  } as RequestInit);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parseJson(text) };
};
