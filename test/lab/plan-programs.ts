import { publicJwkOf } from "#schema/crypto/keys.ts";
import { type LabPaths, NODE, ROOT, SQLD, workerdBinary } from "./paths.ts";
import type { CellPorts, PortPlan } from "./port-plan.ts";
import type { Program } from "./program.ts";
import { labWmis } from "./sample-fleet.ts";
import { type Secrets, sha256Hex } from "./secrets.ts";
import type { TlsFiles } from "./tls/ensure-tls.ts";

export type CellPlan = { readonly id: string; readonly region: string; readonly zone: string; readonly ports: CellPorts };
export type LabPlan = {
  readonly paths: LabPaths;
  readonly ports: PortPlan;
  readonly cells: readonly CellPlan[];
  readonly pops: readonly { readonly id: string; readonly name: string; readonly port: number }[];
  readonly secrets: Secrets;
  readonly tls: TlsFiles;
};

const ZONES = [
  { zone: "eu", region: "eu-central" },
  { zone: "cn", region: "cn-east" },
] as const;

/** The one manufacturer code of the narrow issuer. */
export const NARROW_WMI = "WBA";
const HARD_LIMIT = 20_000;
const LOOPBACK = ["127.0.0.1", "localhost"];

export const at = (port: number): string => `http://127.0.0.1:${port}`;

/** Cells alternate between the zones: cell-eu-1, cell-cn-1, cell-eu-2, … */
export const planCells = (ports: readonly CellPorts[]): CellPlan[] =>
  ports.map((cellPorts, index) => {
    const { zone, region } = ZONES[index % ZONES.length] as (typeof ZONES)[number];
    return { id: `cell-${zone}-${Math.floor(index / ZONES.length) + 1}`, region, zone, ports: cellPorts };
  });

/** A POP's id is its name at control; the program of the first is just `router`. */
export const planPops = (ports: readonly number[]): LabPlan["pops"] =>
  ports.map((port, index) => ({ id: `pop-${index + 1}`, name: index === 0 ? "router" : `router-${index + 1}`, port }));

const kv = ({ paths, ports }: LabPlan): Program => ({
  name: "kv",
  argv: [NODE, `${ROOT}/test/lab/kv/main.ts`],
  env: { KV_PORT: String(ports.kv), KV_FILE: paths.kv },
  ready: { kind: "http", url: `${at(ports.kv)}/healthz` },
  isLaunched: false,
});

const sqld = ({ paths, ports }: LabPlan): Program => ({
  name: "sqld",
  argv: [
    SQLD,
    ...["--db-path", paths.sqld, "--no-welcome", "--shutdown-timeout", "2"],
    ...["--http-listen-addr", `127.0.0.1:${ports.sqld}`, "--admin-listen-addr", `127.0.0.1:${ports.sqldAdmin}`],
  ],
  env: {},
  ready: { kind: "sqld", url: at(ports.sqld), admin: at(ports.sqldAdmin) },
  isLaunched: false,
});

const worker = (plan: LabPlan, name: string, kind: "router" | "control", port: number, config: object): Program => ({
  name,
  argv: [NODE, `${ROOT}/test/lab/workers/${kind}.ts`],
  env: {
    WORKER: JSON.stringify({ port, kvPort: plan.ports.kv, ...config }),
    WORKERD_BINARY: workerdBinary(),
    WORKERD_PID_FILE: plan.paths.pid(name),
    MINIFLARE_WORKERD_PATH: `${ROOT}/test/lab/workers/note-pid.sh`,
  },
  ready: { kind: "http", url: `${at(port)}/healthz` },
  isLaunched: true,
});

const peppers = ({ secrets }: LabPlan): string => JSON.stringify([secrets.pepper]);

const issuers = ({ secrets: { device, deviceNarrow, owner } }: LabPlan): string =>
  JSON.stringify([
    { issuer: device.issuer, kind: "device", wmis: labWmis(), keys: [publicJwkOf(device.privateJwk)] },
    { issuer: deviceNarrow.issuer, kind: "device", wmis: [NARROW_WMI], keys: [publicJwkOf(deviceNarrow.privateJwk)] },
    { issuer: owner.issuer, kind: "owner", wmis: [], keys: [publicJwkOf(owner.privateJwk)] },
  ]);

const control = (plan: LabPlan, index: 0 | 1): Program => {
  const name = index === 0 ? "control" : "control-2";
  return worker(plan, name, "control", plan.ports.controls[index], {
    pop: name,
    ledgerFolder: plan.paths.ledger(name),
    variables: {
      DATABASE_URL: at(plan.ports.sqld),
      PEPPERS: peppers(plan),
      ADMIN_TOKEN_SHA256: sha256Hex(plan.secrets.adminToken),
      ISSUERS: issuers(plan),
      ALLOWED_HOSTS: JSON.stringify(LOOPBACK),
      PLACEABLE_AFTER_SECONDS: "0",
    },
  });
};

const router = (plan: LabPlan, pop: LabPlan["pops"][number]): Program =>
  worker(plan, pop.name, "router", pop.port, {
    pop: pop.id,
    controlPorts: plan.ports.controls,
    variables: { POP_ID: pop.id, POP_PRIVATE_JWK: JSON.stringify(plan.secrets.popKeys[pop.id]), PEPPERS: peppers(plan) },
  });

const cell = (plan: LabPlan, { id, region, zone, ports }: CellPlan): Program => ({
  name: id,
  argv: [NODE, `${ROOT}/cell-node/index.ts`],
  env: {
    CELL_ID: id,
    CELL_REGION: region,
    CELL_ZONE: zone,
    CONTROL_URLS: plan.ports.controls.map(at).join(","),
    JOIN_TOKEN: plan.secrets.joinTokens[id] ?? "",
    DATA_DIR: plan.paths.cell(id),
    HTTP_HOST: "127.0.0.1",
    HTTP_PORT: String(ports.http),
    MQTT_PLAIN_PORT: String(ports.mqtt),
    MQTT_TLS_PORT: String(ports.mqtts),
    TLS_CERT_FILE: plan.tls.certificate,
    TLS_KEY_FILE: plan.tls.key,
    PUBLIC_MQTT_URL: `mqtt://127.0.0.1:${ports.mqtt}`,
    PUBLIC_HTTPS_URL: at(ports.http),
    HARD_LIMIT: String(HARD_LIMIT),
  },
  ready: { kind: "http", url: `${at(ports.http)}/healthz` },
  isLaunched: false,
});

/** Every program of the lab with all that it is started with; the second control-worker is always among them. */
export const planPrograms = (plan: LabPlan) => ({
  kv: kv(plan),
  sqld: sqld(plan),
  controls: [control(plan, 0), control(plan, 1)] as const,
  routers: plan.pops.map((pop) => router(plan, pop)),
  cells: plan.cells.map((planned) => cell(plan, planned)),
});
export type LabPrograms = ReturnType<typeof planPrograms>;
