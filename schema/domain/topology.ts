import type { CellHealth, CellId, CellState, Endpoints } from "./cell.ts";
import { takesTraffic } from "./cell.ts";

/** A public key as JSON Web Key (RFC 7517) with its `kid`. */
export type PublicJwk = {
  readonly kty: string;
  readonly kid: string;
  readonly alg?: string | undefined;
  readonly [member: string]: unknown;
};

export type TopologyCell = {
  readonly state: CellState;
  readonly health: CellHealth;
  readonly region: string;
  readonly zone: string | null;
  readonly endpoints: Endpoints;
  readonly standby: CellId | null;
  /** Keys with which the cell signs commands and its calls. */
  readonly keys: readonly PublicJwk[];
};

/**
 * `device` issuers vouch for vehicles whose VIN starts with one of `wmis` (of a certificate authority `issuer` is the RFC 2253 name and `keys` is empty);
 * `owner` issuers for people; `operator` issuers for those who run the fleet.
 */
export type TrustedIssuer = {
  readonly issuer: string;
  readonly kind: "device" | "owner" | "operator";
  readonly wmis: readonly string[];
  readonly keys: readonly PublicJwk[];
};

export type Failover = { readonly cell: CellId; readonly standby: CellId; readonly term: number };

/** The one small versioned document that every POP holds. */
export type Topology = {
  readonly v: 1;
  readonly version: number;
  readonly force: boolean;
  /** The last version that was forced: an edge that knows an older one missed it, and takes what it brought. Absent means none. */
  readonly forcedVersion?: number | undefined;
  readonly cells: Readonly<Record<string, TopologyCell>>;
  readonly failovers: readonly Failover[];
  readonly issuers: readonly TrustedIssuer[];
  /** Ticket keys by POP id. */
  readonly popKeys: Readonly<Record<string, readonly PublicJwk[]>>;
  /** Label-aligned host suffixes that a vehicle may be sent to. */
  readonly allowedHosts: readonly string[];
  /** Revoked credentials: `jti` or `kid` values, bounded. */
  readonly revoked: readonly string[];
  readonly ruleSetVersion: number | null;
};

export type GuardVerdict = { readonly kind: "accept" } | { readonly kind: "refuse"; readonly reason: "older" | "too_many_cells_lost" };

/** The share of known cells that one publication may remove or take down without `force`. */
export const MAX_LOST_SHARE = 0.2;

const serves = (topology: Topology, id: string): boolean => {
  const cell = topology.cells[id];
  const failedOver = topology.failovers.some((failover) => failover.cell === id);
  return cell !== undefined && takesTraffic(cell.state) && cell.health !== "down" && !failedOver;
};

/** The cells that served under `known` and do not under `next`. */
export const cellsLost = (known: Topology, next: Topology): string[] =>
  Object.keys(known.cells).filter((id) => serves(known, id) && !serves(next, id));

/** Whether an edge that knows one topology may take another: never an older one, and no mass loss of cells without `force`. */
export const guardTopology = (known: Topology | null, next: Topology): GuardVerdict => {
  if (known === null) return { kind: "accept" };
  if (next.version < known.version) return { kind: "refuse", reason: "older" };
  const lost = cellsLost(known, next).length;
  const isForced = next.force || (next.forcedVersion ?? 0) > known.version;
  if (lost > MAX_LOST_SHARE * Object.keys(known.cells).length && !isForced) return { kind: "refuse", reason: "too_many_cells_lost" };
  return { kind: "accept" };
};

const HOST_NAME = /^(?:[a-z0-9_-]+\.)*[a-z0-9-]+$/;

/**
 * Whether a host is one of the suffixes or below one, label by label: "evil-example.com" is not under "example.com".
 * A trailing dot, an empty label or a percent escape never is; an IPv6 literal must be spelled out as a suffix.
 */
export const isAllowedHost = (host: string, suffixes: readonly string[]): boolean => {
  const name = host.toLowerCase();
  return suffixes.some((suffix) => {
    const parent = suffix.toLowerCase();
    return name === parent ? name !== "" : HOST_NAME.test(name) && name.endsWith(`.${parent}`);
  });
};

/** Characters that URL parsers drop or rewrite, so that two readers of one text could see two hosts. */
const AMBIGUOUS = /[^\x21-\x7e]|\\/;

/** The first endpoint that is no plain URL of the right scheme with a host under the suffixes; null when all are. */
export const offendingEndpoint = (endpoints: Endpoints, suffixes: readonly string[]): string | null => {
  const schemes = { mqtt: ["mqtt:", "mqtts:"], mqttWs: ["ws:", "wss:"], https: ["http:", "https:"] };
  for (const name of ["mqtt", "mqttWs", "https"] as const) {
    const endpoint = endpoints[name];
    if (endpoint === null) continue;
    const url = URL.parse(endpoint);
    if (url === null || !schemes[name].includes(url.protocol) || !isAllowedHost(url.hostname, suffixes)) return endpoint;
    if (AMBIGUOUS.test(endpoint) || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return endpoint;
  }
  return null;
};
