import { beijingTime } from "./beijing-time.ts";
import { createReader, createWriter } from "./bytes.ts";
import { blob, type Codec } from "./codec.ts";
import type { Edition } from "./frame.ts";
import { UNITS_2016 } from "./units-2016.ts";
import { UNITS_2025 } from "./units-2025.ts";

/**
 * `custom`: the user's own, with a length of its own. `opaque`: a type without a public layout; it has no length either, so it runs to the
 * end of the data unit. Bytes are base64.
 */
export type Unit =
  | { readonly kind: "known"; readonly code: number; readonly name: string; readonly value: unknown }
  | { readonly kind: "custom"; readonly code: number; readonly bytes: string }
  | { readonly kind: "opaque"; readonly code: number; readonly bytes: string };

/** The data unit of a realtime or a reissued report (tables 7). */
export type Information = { readonly time: number; readonly units: readonly Unit[] };
export type DataFault = { readonly kind: "malformed"; readonly reason: string };

export const malformed = (reason: string): DataFault => ({ kind: "malformed", reason });
export const isFault = (value: object | null): value is DataFault => value !== null && "kind" in value && value.kind === "malformed";

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a unit's value, by name; none when it has no names. */
export const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

type UnitTable = Readonly<Record<number, readonly [string, Codec<unknown>]>>;
const UNITS: Readonly<Record<Edition, UnitTable>> = { 2016: UNITS_2016, 2025: UNITS_2025 };

const isCustom = (code: number): boolean => code >= 0x80 && code <= 0xfe;

export const decodeInformation = (edition: Edition, data: Buffer): Information | DataFault => {
  const reader = createReader(data);
  const time = beijingTime.read(reader);
  if (time === null || reader.isBroken) return malformed("the time of collection is no time");
  const units: Unit[] = [];
  while (reader.remaining > 0) {
    const code = reader.uint(1);
    const known = UNITS[edition][code];
    if (known !== undefined) units.push({ kind: "known", code, name: known[0], value: known[1].read(reader) });
    else if (isCustom(code)) units.push({ kind: "custom", code, bytes: blob.read(reader) });
    else units.push({ kind: "opaque", code, bytes: reader.take(reader.remaining).toString("base64") });
    if (reader.isBroken) return malformed(`information type ${code} is cut short`);
  }
  return { time, units };
};

export const encodeInformation = (edition: Edition, { time, units }: Information): Buffer => {
  const writer = createWriter();
  beijingTime.write(writer, time);
  for (const unit of units) {
    writer.uint(unit.code, 1);
    if (unit.kind === "known") UNITS[edition][unit.code]?.[1].write(writer, unit.value);
    else if (unit.kind === "custom") blob.write(writer, unit.bytes);
    else writer.put(Buffer.from(unit.bytes, "base64"));
  }
  return writer.finish();
};
