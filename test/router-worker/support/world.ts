import { signDeviceToken } from "#schema/crypto/device-token.ts";
import { generateSigningJwk, importSigningKey, type PrivateJwk, publicJwkOf } from "#schema/crypto/keys.ts";
import { signOwnerToken } from "#schema/crypto/owner-token.ts";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import { encodeRouteRecord, routeKeyOf, TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Topology, TopologyCell } from "#schema/domain/topology.ts";
import { checkDigitOf, isVin, parseVin, type Vin } from "#schema/domain/vin.ts";

import type { Vehicle } from "../../../router-worker/store/port.ts";

export const PEPPER = { id: "p1", secret: "a pepper of at least thirty-two characters" };
export const OLD_PEPPER = { id: "p0", secret: "the previous pepper, which is as long as that" };
export const DEVICE_ISSUER = "https://devices.example";
export const OWNER_ISSUER = "https://owners.example";
export const POP = "pop-1";

export const cellId = (text: string): CellId => {
  const id = parseCellId(text);
  if (id === null) throw new Error(`${text} is no cell id`);
  return id;
};

let serial = 0;

/** A VIN that no other test has. */
export const freshVin = (wmi = "WVW"): Vin => {
  serial += 1;
  const draft = `${wmi}ZZZ0ZZTE${String(serial).padStart(6, "0")}`;
  const vin = parseVin(draft.slice(0, 8) + checkDigitOf(draft) + draft.slice(9));
  if (!isVin(vin)) throw new Error(vin.detail);
  return vin;
};

const keys = async () => ({
  device: await generateSigningJwk("device"),
  owner: await generateSigningJwk("owner"),
  pop: await generateSigningJwk("pop"),
  cell: await generateSigningJwk("cell"),
});

export const KEYS = await keys();

export const cellOf = (id: string, change: Partial<TopologyCell> = {}): TopologyCell => ({
  state: "active",
  health: "healthy",
  region: "here",
  zone: null,
  endpoints: { mqtt: `mqtts://${id}.cells.example:8883`, mqttWs: null, https: `https://${id}.cells.example` },
  standby: null,
  keys: [{ ...publicJwkOf(KEYS.cell), kid: `key-of-${id}` }],
  ...change,
});

export const topologyOf = (change: Partial<Topology> = {}): Topology => ({
  v: 1,
  version: 7,
  force: false,
  cells: { "cell-a": cellOf("cell-a", { standby: cellId("cell-b") }), "cell-b": cellOf("cell-b"), "cell-c": cellOf("cell-c") },
  failovers: [],
  issuers: [
    { issuer: DEVICE_ISSUER, kind: "device", wmis: ["W", "L"], keys: [publicJwkOf(KEYS.device)] },
    { issuer: OWNER_ISSUER, kind: "owner", wmis: [], keys: [publicJwkOf(KEYS.owner)] },
  ],
  popKeys: { [POP]: [publicJwkOf(KEYS.pop)] },
  allowedHosts: ["cells.example"],
  revoked: [],
  ruleSetVersion: null,
  ...change,
});

type DeviceTokenChange = { readonly issuer?: string; readonly key?: PrivateJwk; readonly lifetimeSeconds?: number };

export const deviceToken = async (vin: string, nowMs: number, change: DeviceTokenChange = {}): Promise<string> => {
  const { issuer = DEVICE_ISSUER, key = KEYS.device, lifetimeSeconds = 3600 } = change;
  return signDeviceToken(await importSigningKey(key), { vin, issuer, nowMs, lifetimeSeconds });
};

export const ownerToken = async (vehicles: readonly { vin: string; role: OwnerRole }[], nowMs: number): Promise<string> =>
  signOwnerToken(await importSigningKey(KEYS.owner), { subject: "ada", issuer: OWNER_ISSUER, vehicles, nowMs });

export const vinKeyOf = createVinKeyer(PEPPER.secret);
const oldVinKeyOf = createVinKeyer(OLD_PEPPER.secret);

export const routeKey = async (vin: Vin): Promise<string> => routeKeyOf(PEPPER.id, await vinKeyOf(vin));
export const oldRouteKey = async (vin: Vin): Promise<string> => routeKeyOf(OLD_PEPPER.id, await oldVinKeyOf(vin));

/** The vehicle of a VIN, as a router with both peppers knows it. */
export const vehicleOf = async (vin: Vin): Promise<Vehicle> => ({
  vin,
  vinKey: await vinKeyOf(vin),
  routeKeys: [await routeKey(vin), await oldRouteKey(vin)],
});

export const recordText = (cell: string, epoch: number): string => encodeRouteRecord({ cell: cellId(cell), epoch });

export { TOPOLOGY_KEY };
