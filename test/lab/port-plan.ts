export type LabSize = { readonly cells: number; readonly pops: number; readonly controls: number };

/** How much of each the port plan has room for. */
export const MAX_SIZE: LabSize = { cells: 20, pops: 8, controls: 2 };

export type CellPorts = { readonly http: number; readonly mqtt: number; readonly mqtts: number };
export type PortPlan = {
  readonly routers: readonly number[];
  /** The second control-worker has its port whether it is started or not. */
  readonly controls: readonly [number, number];
  readonly sqld: number;
  readonly sqldAdmin: number;
  readonly kv: number;
  readonly cells: readonly CellPorts[];
};

const DEFAULT_BASE = 8787;
const DEFAULT_MQTT = { mqtt: 1884, mqtts: 8884 };

const count = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

/** Where everything listens (design §4.10). With a base all of it lies in base … base+89; without one MQTT has its usual ports. */
export const planPorts = ({ cells, pops }: LabSize, base?: number): PortPlan => {
  const from = base ?? DEFAULT_BASE;
  const mqtt = base === undefined ? DEFAULT_MQTT : { mqtt: base + 33, mqtts: base + 53 };
  return {
    routers: count(pops, (index) => (index === 0 ? from : from + 5 + index)),
    controls: [from + 1, from + 5],
    sqld: from + 2,
    sqldAdmin: from + 3,
    kv: from + 4,
    cells: count(cells, (index) => ({ http: from + 13 + index, mqtt: mqtt.mqtt + index, mqtts: mqtt.mqtts + index })),
  };
};

/** Every port of a plan with what listens there. */
export const portsOf = (plan: PortPlan): { readonly port: number; readonly of: string }[] => [
  ...plan.routers.map((port) => ({ port, of: "a router" })),
  ...plan.controls.map((port) => ({ port, of: "control-worker" })),
  { port: plan.sqld, of: "sqld" },
  { port: plan.sqldAdmin, of: "sqld's admin API" },
  { port: plan.kv, of: "KV" },
  ...plan.cells.flatMap(({ http, mqtt, mqtts }) => [
    { port: http, of: "a cell (HTTP)" },
    { port: mqtt, of: "a cell (MQTT)" },
    { port: mqtts, of: "a cell (MQTT over TLS)" },
  ]),
];
