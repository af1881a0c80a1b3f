import { COMMANDS, type Edition, encodeFrame, IS_COMMAND, PLAIN } from "../../../../cell-node/gbt32960/frame.ts";

/** 2026-11-20 11:00:00 in Beijing. */
export const TIME_BYTES = "1a0b140b0000";
export const TIME = Date.UTC(2026, 10, 20, 3, 0, 0);

export const hex = (...parts: readonly string[]): Buffer => Buffer.from(parts.join("").replaceAll(" ", ""), "hex");

export type Request = { readonly command: number; readonly id: string; readonly data?: Buffer; readonly edition?: Edition };

export const requestOf = ({ command, id, data = Buffer.alloc(0), edition = 2016 }: Request): Buffer =>
  encodeFrame({ edition, command, answer: IS_COMMAND, id, encryption: PLAIN, data });

/** A report of 2016 with the whole-vehicle unit: 60.5 km/h, 80 %. */
export const VEHICLE_2016 = "01 01 03 01 025d 00012d6d 0fa0 2710 50 01 0f 1388 00 00";

export const reportOf = (id: string, more: { time?: string; units?: string; command?: number; edition?: Edition } = {}): Buffer =>
  requestOf({
    command: more.command ?? COMMANDS.realtime,
    id,
    data: hex(more.time ?? TIME_BYTES, more.units ?? VEHICLE_2016),
    edition: more.edition ?? 2016,
  });

/** Table 17: level, flags, one storage fault when given, none of the others. */
export const alarmUnit = (level: number, flags: string, fault?: string): string =>
  `07 ${level.toString(16).padStart(2, "0")} ${flags} ${fault === undefined ? "00" : `01 ${fault}`} 00 00 00`;
