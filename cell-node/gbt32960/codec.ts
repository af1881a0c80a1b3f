import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Both directions of one piece of a data unit. `read` never throws: an overrun shows in the reader. */
export type Codec<T> = { read(reader: ByteReader): T; write(writer: ByteWriter, value: T): void };

/** What a field says instead of a number: all bits but the last set, all bits set (GB/T 32960.3, every table). */
export const SIGNALS = ["abnormal", "invalid"] as const;
export type Signal = (typeof SIGNALS)[number];
export type Reading = number | Signal;

type Width = 1 | 2 | 4;

const highest = (bytes: Width): number => 2 ** (8 * bytes) - 1;

const signalOf = (raw: number, bytes: Width): Signal | null => {
  if (raw === highest(bytes)) return "invalid";
  return raw === highest(bytes) - 1 ? "abnormal" : null;
};

const rawOf = (signal: Signal, bytes: Width): number => highest(bytes) - (signal === "invalid" ? 0 : 1);

const isSignal = (value: unknown): value is Signal => value === "abnormal" || value === "invalid";

/** A number as it is: serial numbers, counts, fault codes. Every value counts, none is a signal. */
export const raw = (bytes: Width): Codec<number> => ({
  read: (reader) => reader.uint(bytes),
  write: (writer, value) => writer.uint(value, bytes),
});

export type Scale = {
  /** Units of the wire per unit of the value: 10 when the least step is 0.1. */
  readonly per?: number;
  /** What the wire adds, in the value's unit. */
  readonly offset?: number;
};

/** A measured value or a signal. The division comes last, so that the value is the double nearest to the decimal one. */
export const measure = (bytes: Width, { per = 1, offset = 0 }: Scale = {}): Codec<Reading> => ({
  read(reader) {
    const value = reader.uint(bytes);
    return signalOf(value, bytes) ?? (value - offset * per) / per;
  },
  write: (writer, value) => writer.uint(isSignal(value) ? rawOf(value, bytes) : Math.round((value + offset) * per), bytes),
});

export type Code<Name extends string> = Name | Signal | number;

/** One byte with named values; a value that the standard does not name stays a number. */
export const code = <Name extends string>(names: Readonly<Record<number, Name>>): Codec<Code<Name>> => {
  const values = new Map(Object.entries(names).map(([value, name]) => [name, Number(value)]));
  return {
    read(reader) {
      const value = reader.uint(1);
      return signalOf(value, 1) ?? names[value] ?? value;
    },
    write(writer, value) {
      if (isSignal(value)) writer.uint(rawOf(value, 1), 1);
      else writer.uint(typeof value === "number" ? value : (values.get(value) ?? 0), 1);
    },
  };
};

/** The names of the bits that are set, the lowest first; a reserved bit is `bit` and its number. */
export const flags = (names: readonly string[]): Codec<readonly string[]> => {
  const all = Array.from({ length: 32 }, (_, bit) => names[bit] ?? `bit${bit}`);
  return {
    read(reader) {
      const value = reader.uint(4);
      return value === 0 ? [] : all.filter((_, bit) => (value >>> bit) % 2 === 1);
    },
    write: (writer, set) =>
      writer.uint(
        all.reduce((value, name, bit) => value + (set.includes(name) ? 2 ** bit : 0), 0),
        4,
      ),
  };
};

/** A count, then that many items; a signal in place of the count means that none follow. Stops where the bytes end. */
export const list = <T>(countBytes: 1 | 2, item: Codec<T>): Codec<readonly T[] | Signal> => ({
  read(reader) {
    const count = reader.uint(countBytes);
    const signal = signalOf(count, countBytes);
    if (signal !== null) return signal;
    const items: T[] = [];
    for (let i = 0; i < count && !reader.isBroken; i++) items.push(item.read(reader));
    return items;
  },
  write(writer, value) {
    if (isSignal(value)) return writer.uint(rawOf(value, countBytes), countBytes);
    writer.uint(value.length, countBytes);
    for (const one of value) item.write(writer, one);
  },
});

/** Text of fixed length, filled with zeros (§6.1.1 STRING). Bytes outside ASCII are kept as ISO 8859-1. */
export const text = (length: number): Codec<string> => ({
  read: (reader) =>
    reader
      .take(length)
      .toString("latin1")
      .replace(/[\0 ]+$/, ""),
  write: (writer, value) => writer.put(Buffer.from(value.padEnd(length, "\0").slice(0, length), "latin1")),
});

/** Two bytes of length, then the bytes, as base64. */
export const blob: Codec<string> = {
  read: (reader) => reader.take(reader.uint(2)).toString("base64"),
  write(writer, value) {
    const bytes = Buffer.from(value, "base64");
    writer.uint(bytes.length, 2);
    writer.put(bytes);
  },
};

/** Fields one after the other, in the order in which they are written down. */
export const record = <T extends object>(fields: { readonly [Name in keyof T]: Codec<T[Name]> }): Codec<T> => {
  const names = Object.keys(fields) as (keyof T)[];
  return {
    read: (reader) => Object.fromEntries(names.map((name) => [name, fields[name].read(reader)])) as T,
    write(writer, value) {
      for (const name of names) fields[name].write(writer, value[name]);
    },
  };
};
