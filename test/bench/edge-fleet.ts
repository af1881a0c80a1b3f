import { signDeviceToken } from "#schema/crypto/device-token.ts";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { parseCellId } from "#schema/domain/cell.ts";
import { encodeRouteRecord, type RouteRecord, routeKeyOf, TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";

export type EdgeVehicle = { readonly vin: Vin; readonly vinKey: VinKey; readonly token: string };

/** Everything that an edge location holds of a fleet, and the vehicles' credentials. */
export type EdgeFleet = {
  readonly variables: Readonly<Record<"POP_ID" | "POP_PRIVATE_JWK" | "PEPPERS", string>>;
  readonly topology: Topology;
  readonly record: RouteRecord;
  readonly vehicles: readonly EdgeVehicle[];
};

/** What KV holds for a fleet. */
export const kvOf = ({ topology, record, vehicles }: EdgeFleet): ReadonlyMap<string, string> =>
  new Map([
    [TOPOLOGY_KEY, JSON.stringify(topology)],
    ...vehicles.map(({ vinKey }) => [routeKeyOf(PEPPER.id, vinKey), encodeRouteRecord(record)] as const),
  ]);

/** Several, as in a real fleet: one alone has a limit of its own. */
const ISSUERS = Array.from({ length: 8 }, (_, index) => `https://devices-${index}.bench.test`);
const POP = "pop-bench";
const PEPPER = { id: "p1", secret: "bench-pepper-bench-pepper-bench-pepper" };
const TOKEN_LIFETIME_SECONDS = 3600;

/** The n-th VIN of every fleet here. */
export const vinAt = (index: number): Vin => {
  const vin = parseVin(`WVWZZZ1JZXW${String(index).padStart(6, "0")}`);
  if (!isVin(vin)) throw new Error(vin.detail);
  return vin;
};

const cellId = (name: string) => {
  const id = parseCellId(name);
  if (id === null) throw new Error(`${name} is no cell id`);
  return id;
};

const BATCH = 1000;

/** One after another in batches: a hundred thousand promises at once are slower. */
const mapInBatches = async <T>(size: number, make: (index: number) => Promise<T>): Promise<T[]> => {
  const made: T[] = [];
  while (made.length < size) {
    const from = made.length;
    made.push(...(await Promise.all(Array.from({ length: Math.min(BATCH, size - from) }, (_, index) => make(from + index)))));
  }
  return made;
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
    issuers: ISSUERS.map((issuer) => ({ issuer, kind: "device", wmis: ["WVW"], keys: [publicJwkOf(device)] })),
    popKeys: { [POP]: [publicJwkOf(pop)] },
  };
  const key = await importSigningKey(device);
  const keyer = createVinKeyer(PEPPER.secret);
  const nowMs = Date.now();
  const vehicles = await mapInBatches(size, async (index) => {
    const vin = vinAt(index);
    const issuer = ISSUERS[index % ISSUERS.length] ?? "";
    const token = await signDeviceToken(key, { vin, issuer, nowMs, lifetimeSeconds: TOKEN_LIFETIME_SECONDS });
    return { vin, vinKey: await keyer(vin), token };
  });
  return {
    variables: { POP_ID: POP, POP_PRIVATE_JWK: JSON.stringify(pop), PEPPERS: JSON.stringify([PEPPER]) },
    ...{ topology, record: { cell: first, epoch: 1 }, vehicles },
  };
};
