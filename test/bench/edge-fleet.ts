import { signDeviceToken } from "#schema/crypto/device-token.ts";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { parseCellId } from "#schema/domain/cell.ts";
import { encodeRouteRecord, routeKeyOf, TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";

/** Everything that an edge location holds of a small fleet, and the vehicles' credentials. */
export type EdgeFleet = {
  readonly variables: Readonly<Record<"POP_ID" | "POP_PRIVATE_JWK" | "PEPPERS", string>>;
  readonly kv: ReadonlyMap<string, string>;
  readonly tokens: readonly string[];
};

const ISSUER = "https://devices.bench.test";
const POP = "pop-bench";
const PEPPER = { id: "p1", secret: "bench-pepper-bench-pepper-bench-pepper" };
const TOKEN_LIFETIME_SECONDS = 3600;

const vinAt = (index: number): Vin => {
  const vin = parseVin(`WVWZZZ1JZXW${String(index).padStart(6, "0")}`);
  if (!isVin(vin)) throw new Error(vin.detail);
  return vin;
};

const cellId = (name: string) => {
  const id = parseCellId(name);
  if (id === null) throw new Error(`${name} is no cell id`);
  return id;
};

/** A fleet of `size` vehicles in one cell with a standby: route records under the pepper, the topology, one device JWT each. */
export const createEdgeFleet = async (size: number): Promise<EdgeFleet> => {
  const [device, pop, cell] = await Promise.all(["device", POP, "cell"].map(generateSigningJwk));
  if (device === undefined || pop === undefined || cell === undefined) throw new Error("no keys");
  const [first, second] = [cellId("cell-eu-1"), cellId("cell-eu-2")];
  const cellOf = (port: number, standby: typeof first | null) => ({
    ...({ state: "active", health: "healthy", region: "eu", zone: "eu", standby, keys: [publicJwkOf(cell)] } as const),
    endpoints: { mqtt: `mqtts://cells.bench.test:${port}`, mqttWs: null, https: `https://cells.bench.test:${port + 1}` },
  });
  const topology: Topology = {
    ...{ v: 1, version: 1, force: false, failovers: [], revoked: [], ruleSetVersion: null, allowedHosts: ["cells.bench.test"] },
    cells: { [first]: cellOf(8883, second), [second]: cellOf(8885, null) },
    issuers: [{ issuer: ISSUER, kind: "device", wmis: ["WVW"], keys: [publicJwkOf(device)] }],
    popKeys: { [POP]: [publicJwkOf(pop)] },
  };
  const key = await importSigningKey(device);
  const keyer = createVinKeyer(PEPPER.secret);
  const vins = Array.from({ length: size }, (_, index) => vinAt(index + 1));
  const nowMs = Date.now();
  const records = vins.map(async (vin) => [routeKeyOf(PEPPER.id, await keyer(vin)), encodeRouteRecord({ cell: first, epoch: 1 })] as const);
  const tokens = vins.map((vin) => signDeviceToken(key, { vin, issuer: ISSUER, nowMs, lifetimeSeconds: TOKEN_LIFETIME_SECONDS }));
  return {
    variables: { POP_ID: POP, POP_PRIVATE_JWK: JSON.stringify(pop), PEPPERS: JSON.stringify([PEPPER]) },
    kv: new Map([[TOPOLOGY_KEY, JSON.stringify(topology)], ...(await Promise.all(records))]),
    tokens: await Promise.all(tokens),
  };
};
