import type { Brand } from "./brand.ts";
import { type Market, marketOfWmi } from "./wmi.ts";

/** Vehicle identification number: 17 characters, upper case, without I, O and Q (ISO 3779:2009 §4, GB 16735-2019). */
export type Vin = Brand<string, "Vin">;

export const VIN_FAULTS = ["length", "characters", "uniform", "check_digit"] as const;
export type VinFault = { readonly kind: "vin_fault"; readonly fault: (typeof VIN_FAULTS)[number]; readonly detail: string };

const VIN_LENGTH = 17;
const CHECK_POSITION = 8;
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
const LETTER_VALUES: Readonly<Record<string, number>> = {
  ...{ A: 1, B: 2, C: 3, D: 4, E: 5, F: 6, G: 7, H: 8 },
  ...{ J: 1, K: 2, L: 3, M: 4, N: 5, P: 7, R: 9 },
  ...{ S: 2, T: 3, U: 4, V: 5, W: 6, X: 7, Y: 8, Z: 9 },
};

/** Markets whose law requires the check digit: 49 CFR 565.15(c), GB 16735-2019 §5.3. Elsewhere position 9 is free. */
const CHECKED_MARKETS: ReadonlySet<Market> = new Set(["cn", "na"]);

const fault = (kind: VinFault["fault"], detail: string): VinFault => ({ kind: "vin_fault", fault: kind, detail });

/** The check digit ("0".."9" or "X") that a 17-character VIN should carry at position 9 (49 CFR 565.15(c), Table III-IV). */
export const checkDigitOf = (vin: string): string => {
  let sum = 0;
  for (let i = 0; i < VIN_LENGTH; i++) {
    const character = vin.charAt(i);
    sum += (LETTER_VALUES[character] ?? Number(character)) * (WEIGHTS[i] ?? 0);
  }
  const remainder = sum % 11;
  return remainder === 10 ? "X" : String(remainder);
};

/** Whether position 9 is the check digit of the rest; says nothing about whether the market requires it. */
export const hasValidCheckDigit = (vin: Vin): boolean => vin.charAt(CHECK_POSITION) === checkDigitOf(vin);

/**
 * The only way to make a Vin. The check digit is enforced where the manufacturer code's market or `market`, where the vehicle is sold,
 * requires it: a market never waives what the code demands, so that a VIN once registered is read everywhere.
 * Errors: length, characters (I, O, Q, lower case, anything outside ASCII), uniform, check_digit.
 */
export const parseVin = (input: string, market?: Market): Vin | VinFault => {
  if (!/^[A-HJ-NPR-Z0-9]{17}$/.test(input)) {
    const { length } = [...input];
    if (length !== VIN_LENGTH) return fault("length", `a VIN has 17 characters, this has ${length}`);
    return fault("characters", "a VIN has digits and upper-case letters except I, O and Q");
  }
  if (/^(.)\1+$/.test(input)) return fault("uniform", "a VIN is never one character repeated");
  const vin = input as Vin;
  const isChecked = [marketOfWmi(vin.slice(0, 3)), market ?? "other"].some((candidate) => CHECKED_MARKETS.has(candidate));
  if (isChecked && !hasValidCheckDigit(vin)) {
    return fault("check_digit", `position 9 is "${vin.charAt(CHECK_POSITION)}", the check digit is "${checkDigitOf(vin)}"`);
  }
  return vin;
};

export const isVin = (parsed: Vin | VinFault): parsed is Vin => typeof parsed === "string";

const YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789";

/**
 * Model year from position 10 (ISO 3779:2009 Annex A), the latest not after `latestYear`; null when the maker does not code it.
 * In North America a letter at position 7 means 2010 and later (49 CFR 565.15(d)).
 */
export const modelYearOf = (vin: Vin, latestYear: number): number | null => {
  const index = YEAR_CODES.indexOf(vin.charAt(9));
  if (index < 0) return null;
  if (marketOfWmi(vin.slice(0, 3)) === "na") return (/[A-Z]/.test(vin.charAt(6)) ? 2010 : 1980) + index;
  const cycles = Math.floor((latestYear - 1980 - index) / 30);
  return cycles < 0 ? null : 1980 + index + 30 * cycles;
};
