import { hash } from "node:crypto";
import type { Vin } from "#schema/domain/vin.ts";
import { SIGNALS } from "./codec.ts";
import type { Edition } from "./frame.ts";
import { type Fields, fieldsOf, type Information, type Unit } from "./information.ts";

/** The same report of the same vehicle has the same id, sent live or again: it is stored once. */
export const reportIdOf = (vin: Vin, edition: Edition, data: Buffer): string =>
  `gbt-${hash("sha256", Buffer.concat([Buffer.from(`${vin}\n${edition}\n`), data]), "base64url")}`;

const isSignal = (value: unknown): boolean => SIGNALS.some((signal) => signal === value);

/**
 * Numbers stay numbers: a field without a measurement is left out (null inside a list), and its pointer is noted when the vehicle
 * called it abnormal.
 */
const measured = (value: unknown, pointer: string, abnormal: string[]): unknown => {
  if (isSignal(value)) {
    if (value === "abnormal") abnormal.push(pointer);
    return undefined;
  }
  if (Array.isArray(value)) return value.map((item, index) => measured(item, `${pointer}/${index}`, abnormal) ?? null);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, field]) => [name, measured(field, `${pointer}/${name}`, abnormal)] as const);
  return Object.fromEntries(entries.filter(([, field]) => field !== undefined));
};

type Known = Extract<Unit, { kind: "known" }>;

/** A list sent in parts is one list; of anything else sent twice the later one counts. */
const mergeUnits = (units: readonly Known[]): Map<string, unknown> => {
  const merged = new Map<string, unknown>();
  for (const { name, value } of units) {
    const before = merged.get(name);
    merged.set(name, Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value);
  }
  return merged;
};

const LIMITS = { longitude: 180, latitude: 90 };

const isOnEarth = ({ longitude, latitude }: Fields): boolean =>
  Math.abs(Number(longitude)) <= LIMITS.longitude && Math.abs(Number(latitude)) <= LIMITS.latitude;

export type Report = Information & { readonly edition: Edition; readonly isReissued: boolean; readonly id: string };

/** A report as the telemetry JSON that MQTT vehicles send: what every vehicle has on top, the information units below their names. */
export const toTelemetry = ({ edition, isReissued, id, time, units }: Report): Record<string, unknown> => {
  const abnormal: string[] = [];
  const known = mergeUnits(units.filter((unit) => unit.kind === "known"));
  if (!isOnEarth(fieldsOf(known.get("position")))) known.delete("position");
  const named = Object.fromEntries([...known].map(([name, value]) => [name, measured(value, `/${name}`, abnormal)]));
  const { speedKmh, odometerKm, socPercent } = fieldsOf(named["vehicle"]);
  const others = units.filter((unit) => unit.kind !== "known").map(({ kind, code, bytes }) => ({ kind, code, bytes }));
  return {
    id,
    at: new Date(time).toISOString(),
    protocol: `gbt32960-${edition}`,
    ...(isReissued && { isReissued }),
    ...(speedKmh !== undefined && { speedKmh }),
    ...(socPercent !== undefined && { soc: socPercent }),
    ...(odometerKm !== undefined && { odometerKm }),
    ...named,
    ...(others.length > 0 && { others }),
    ...(abnormal.length > 0 && { abnormal }),
  };
};
