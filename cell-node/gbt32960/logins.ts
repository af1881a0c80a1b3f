import { beijingTime } from "./beijing-time.ts";
import { type ByteReader, createReader, createWriter } from "./bytes.ts";
import { type Codec, code, raw, record, text } from "./codec.ts";
import type { Edition } from "./frame.ts";
import { type DataFault, malformed } from "./information.ts";

const PACK_CODE_BYTES = 24;

const readTexts = (reader: ByteReader, count: number, bytes: number): string[] => {
  const texts: string[] = [];
  for (let i = 0; i < count && !reader.isBroken; i++) texts.push(text(bytes).read(reader));
  return texts;
};

/** One list of codes for each storage system. */
type Batteries = readonly (readonly string[])[];

/** 2016, table 6: one code a subsystem, all of one length; length 0 when they are not sent. */
const batteries2016: Codec<Batteries> = {
  read(reader) {
    const count = reader.uint(1);
    const bytes = reader.uint(1);
    return (bytes === 0 ? Array<string>(count).fill("") : readTexts(reader, count, bytes)).map((one) => (one === "" ? [] : [one]));
  },
  write(writer, batteries) {
    const codes = batteries.map(([one = ""]) => one);
    const bytes = Math.max(0, ...codes.map((one) => one.length));
    writer.uint(codes.length, 1);
    writer.uint(bytes, 1);
    for (const one of codes) text(bytes).write(writer, one);
  },
};

/** 2025, table 6: how many packs each management system has, then the packs' codes (GB/T 34014). */
const batteries2025: Codec<Batteries> = {
  read(reader) {
    const counts = Array.from({ length: reader.uint(1) }, () => reader.uint(1));
    return counts.map((count) => readTexts(reader, count, PACK_CODE_BYTES));
  },
  write(writer, batteries) {
    writer.uint(batteries.length, 1);
    for (const codes of batteries) writer.uint(codes.length, 1);
    for (const one of batteries.flat()) text(PACK_CODE_BYTES).write(writer, one);
  },
};

const vehicleLogin = (batteries: Codec<Batteries>) => record({ time: beijingTime, serial: raw(2), iccid: text(20), batteries });

/** Tables 6, 20 to 22 (2016) and 28 to 30 (2025). `time` is null when the six bytes are no time. */
export const VEHICLE_LOGIN = { 2016: vehicleLogin(batteries2016), 2025: vehicleLogin(batteries2025) } as const;
export const LOGOUT = record({ time: beijingTime, serial: raw(2) });
export const PLATFORM_LOGIN = record({
  time: beijingTime,
  serial: raw(2),
  user: text(12),
  password: text(20),
  encryption: code({ 1: "none", 2: "rsa", 3: "aes", 4: "sm2", 5: "sm4" }),
});

export type VehicleLogin = ReturnType<(typeof VEHICLE_LOGIN)[Edition]["read"]>;
export type Logout = ReturnType<typeof LOGOUT.read>;
export type PlatformLogin = ReturnType<typeof PLATFORM_LOGIN.read>;

type Dated<T> = T & { readonly time: number };

/** Reads a whole data unit. What follows the last field is left alone: later editions may append. */
export const decodeDated = <T extends { readonly time: number | null }>(codec: Codec<T>, data: Buffer): Dated<T> | DataFault => {
  const reader = createReader(data);
  const value = codec.read(reader);
  if (reader.isBroken) return malformed("the data unit is cut short");
  const { time } = value;
  return time === null ? malformed("the time is no time") : { ...value, time };
};

export const encodeWith = <T>(codec: Codec<T>, value: T): Buffer => {
  const writer = createWriter();
  codec.write(writer, value);
  return writer.finish();
};
