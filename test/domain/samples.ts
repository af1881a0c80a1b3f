import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import type { Topology, TopologyCell } from "#schema/domain/topology.ts";
import { checkDigitOf, isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { parseVinKey, type VinKey } from "#schema/domain/vin-key.ts";

/** A cell id that must be one. */
export const cell = (id: string): CellId => {
  const parsed = parseCellId(id);
  if (parsed === null) throw new Error(`not a cell id: ${id}`);
  return parsed;
};

/** A VIN that must be one. */
export const vin = (text: string): Vin => {
  const parsed = parseVin(text);
  if (!isVin(parsed)) throw new Error(`${text}: ${parsed.detail}`);
  return parsed;
};

/** A VIN of a manufacturer code with the number as its serial and the check digit that every market accepts. */
export const vinOf = (wmi: string, serial: number): Vin => {
  const blank = `${wmi}AA1A10R1${String(serial).padStart(6, "0")}`;
  return vin(`${blank.slice(0, 8)}${checkDigitOf(blank)}${blank.slice(9)}`);
};

export const vinKey = (serial: number): VinKey => {
  const parsed = parseVinKey(serial.toString(36).padStart(22, "k"));
  if (parsed === null) throw new Error(`not a vinKey: ${serial}`);
  return parsed;
};

export const topologyCell = (id: string, more: Partial<TopologyCell> = {}): TopologyCell => ({
  state: "active",
  health: "healthy",
  region: "eu-central",
  zone: null,
  endpoints: { mqtt: `mqtts://${id}.example.com:8883`, mqttWs: null, https: `https://${id}.example.com` },
  standby: null,
  keys: [],
  ...more,
});

/** A topology of healthy, active cells; `changes` overrides members of single cells. */
export const topology = (ids: readonly string[], changes: Readonly<Record<string, Partial<TopologyCell>>> = {}): Topology => ({
  v: 1,
  version: 7,
  force: false,
  cells: Object.fromEntries(ids.map((id) => [id, topologyCell(id, changes[id])])),
  failovers: [],
  issuers: [],
  popKeys: {},
  allowedHosts: ["example.com"],
  revoked: [],
  ruleSetVersion: null,
});
