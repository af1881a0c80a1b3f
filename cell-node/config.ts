import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import { CellIdField, ZoneField } from "#schema/api/fields.ts";
import { LOG_LEVELS } from "#schema/http/log.ts";
import { parseGbt32960Settings } from "./gbt32960/settings.ts";
import { parseRuleSettings } from "./rules/settings.ts";

const packageVersion = (): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))).version;

/** Limits and paces that operators do not set. Seconds and milliseconds as named. */
export const LIMITS = {
  /** The longest packet that a vehicle may send, the CONNECT included. */
  packetBytes: 256 * 1024,
  /** A CONNECT is complete within 10 s: closed a little earlier, so that a loaded machine keeps the promise. */
  connectMs: 9_000,
  handshakeMs: 5_000,
  /** A vehicle that does not read for so long is cut off. */
  drainMs: 5_000,
  /** Packets that one connection may have sent before its CONNACK. */
  queuedPackets: 1_000,
  keepAliveSeconds: 1_200,
  sessionExpirySeconds: 24 * 3_600,
  topicAliases: 16,
  verifiedTokens: 50_000,
  httpBodyBytes: 64 * 1024,
  waitSeconds: 60,
  /** Commands of one vehicle that are not final; more are refused until some are. */
  openCommands: 100,
  /** What one user may order of one vehicle, and change of its desired twin, in `paceSeconds`. */
  commands: 120,
  twinChanges: 60,
  paceSeconds: 60,
  /** Commands that are watched at a time. */
  commandStreams: 1_000,
  syncMs: 2_000,
  syncTimeoutMs: 3_000,
  /** Control silent for so long: the cell serves alone what it owns. Also the gap in the clock after which it asks control first. */
  silenceMs: 10_000,
  retryMs: 5_000,
  drainOnStopMs: 8_000,
} as const;
export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().min(1);
/** An empty variable is an unset one. */
const optional = <T extends z.ZodType>(schema: T) => z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: z.input<T>) =>
  z.preprocess((given) => (given === undefined || given === "" ? value : given), schema);

const Environment = z
  .object({
    CELL_ID: CellIdField,
    CELL_REGION: z.string().min(1).max(64),
    CELL_ZONE: optional(ZoneField),
    CONTROL_URLS: z
      .string()
      .transform((list) => list.split(",").map((url) => url.trim().replace(/\/$/, "")))
      .pipe(z.array(z.url()).min(1)),
    JOIN_TOKEN: optional(z.string()),
    DATA_DIR: z.string().min(1),
    HTTP_HOST: withDefault(z.string(), "0.0.0.0"),
    HTTP_PORT: withDefault(port, 8080),
    MQTT_TLS_PORT: withDefault(port, 8883),
    TLS_CERT_FILE: optional(z.string()),
    TLS_KEY_FILE: optional(z.string()),
    MQTT_PLAIN_PORT: optional(port),
    PUBLIC_MQTT_URL: z.url(),
    PUBLIC_HTTPS_URL: z.url(),
    PUBLIC_MQTT_WS_URL: optional(z.url()),
    HARD_LIMIT: withDefault(count, 20_000),
    RELEASE: withDefault(z.string().max(64), packageVersion()),
    CONNECT_RATE: withDefault(count, 2_000),
    CONNECT_BURST: withDefault(count, 4_000),
    LOG_LEVEL: withDefault(z.enum(LOG_LEVELS), "info"),
  })
  .refine((env) => (env.TLS_CERT_FILE === undefined) === (env.TLS_KEY_FILE === undefined), "TLS_CERT_FILE and TLS_KEY_FILE go together")
  .refine(
    (env) => env.TLS_CERT_FILE !== undefined || env.MQTT_PLAIN_PORT !== undefined,
    "TLS_CERT_FILE and TLS_KEY_FILE are required (a lab may set MQTT_PLAIN_PORT instead)",
  );

/** Reads the environment once. Throws with every fault named. */
export const parseConfig = (environment: Readonly<Record<string, string | undefined>>) => {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    throw new Error(`invalid configuration: ${parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ")}`);
  }
  const env = parsed.data;
  const endpoint = (url: string) => url.replace(/\/$/, "");
  return {
    cell: env.CELL_ID,
    region: env.CELL_REGION,
    zone: env.CELL_ZONE ?? null,
    controlUrls: env.CONTROL_URLS,
    joinToken: env.JOIN_TOKEN ?? null,
    dataFolder: resolve(env.DATA_DIR),
    http: { host: env.HTTP_HOST, port: env.HTTP_PORT },
    plain: env.MQTT_PLAIN_PORT === undefined ? null : { port: env.MQTT_PLAIN_PORT },
    tls:
      env.TLS_CERT_FILE === undefined || env.TLS_KEY_FILE === undefined
        ? null
        : { port: env.MQTT_TLS_PORT, certificateFile: env.TLS_CERT_FILE, keyFile: env.TLS_KEY_FILE },
    endpoints: {
      mqtt: endpoint(env.PUBLIC_MQTT_URL),
      mqttWs: env.PUBLIC_MQTT_WS_URL === undefined ? null : endpoint(env.PUBLIC_MQTT_WS_URL),
      https: endpoint(env.PUBLIC_HTTPS_URL),
    },
    hardLimit: env.HARD_LIMIT,
    release: env.RELEASE,
    connectRate: env.CONNECT_RATE,
    connectBurst: env.CONNECT_BURST,
    logLevel: env.LOG_LEVEL,
    gbt32960: parseGbt32960Settings(environment),
    rules: parseRuleSettings(environment),
  };
};
export type Config = ReturnType<typeof parseConfig>;
