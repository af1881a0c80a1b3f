import { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";

/** Text and items that one value of an action may have, all in all. */
const MAX_SIZE = 16_384;

const safeNumber = (value: bigint): number | string => (Number.isSafeInteger(Number(value)) ? Number(value) : value.toString());

type Converted = { readonly json: unknown; readonly size: number } | null;

const convertAll = (values: readonly unknown[], room: number): { items: unknown[]; size: number } | null => {
  const items: unknown[] = [];
  let size = values.length;
  for (const value of values) {
    const converted = size > room ? null : convert(value, room - size);
    if (converted === null) return null;
    items.push(converted.json);
    size += converted.size;
  }
  return { items, size };
};

const convert = (value: unknown, room: number): Converted => {
  if (value === null || typeof value === "boolean" || typeof value === "number") return { json: value, size: 1 };
  if (typeof value === "bigint") return { json: safeNumber(value), size: 1 };
  if (typeof value === "string") return value.length > room ? null : { json: value, size: value.length + 1 };
  if (value instanceof UnsignedInt) return { json: safeNumber(BigInt(value.valueOf())), size: 1 };
  if (value instanceof Date) return { json: Number.isNaN(value.getTime()) ? null : value.toISOString(), size: 1 };
  if (value instanceof Duration) return { json: value.toString(), size: 1 };
  if (Array.isArray(value)) {
    const all = convertAll(value, room);
    return all && { json: all.items, size: all.size };
  }
  if (typeof value !== "object") return null;
  const entries = value instanceof Map ? [...value].map(([name, one]) => [String(name), one]) : Object.entries(value);
  const all = convertAll(
    entries.map(([, one]) => one),
    room,
  );
  return all && { json: Object.fromEntries(entries.map(([name], index) => [name, all.items[index]])), size: all.size };
};

/** A value of CEL as JSON; undefined when it is too large, or is nothing that JSON has. */
export const toJson = (value: unknown): unknown => convert(value, MAX_SIZE)?.json;
