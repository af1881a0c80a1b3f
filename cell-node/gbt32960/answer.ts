import { beijingTime } from "./beijing-time.ts";
import { COMMANDS, type Edition, encodeFrame, type Frame } from "./frame.ts";
import { encodeWith } from "./logins.ts";

export const OUTCOMES = ["success", "checksum", "malformed", "encrypted", "unknown_vehicle", "unavailable", "unexpected"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Answer flags, tables 4: the 2016 edition knows one kind of error, the 2025 edition names some. 0x03, a VIN twice, is never said. */
const FLAGS: Readonly<Record<Outcome, Readonly<Record<Edition, number>>>> = {
  success: { 2016: 0x01, 2025: 0x01 },
  checksum: { 2016: 0x02, 2025: 0x02 },
  malformed: { 2016: 0x02, 2025: 0x06 },
  encrypted: { 2016: 0x02, 2025: 0x07 },
  unknown_vehicle: { 2016: 0x02, 2025: 0x04 },
  unavailable: { 2016: 0x02, 2025: 0x02 },
  unexpected: { 2016: 0x02, 2025: 0x02 },
};

const TIME_BYTES = 6;

/** §6.3.2: the frame with another flag, of its data the time only. A clock sync asks for the cell's time and gets it. */
export const encodeAnswer = (frame: Frame, outcome: Outcome, nowMs: number): Buffer => {
  const isClockSync = frame.command === COMMANDS.clockSync && outcome === "success";
  const data = isClockSync ? encodeWith(beijingTime, nowMs) : frame.data.subarray(0, TIME_BYTES);
  return encodeFrame({ ...frame, answer: FLAGS[outcome][frame.edition], encryption: 0x01, data });
};
