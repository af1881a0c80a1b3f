import { AppError } from "#schema/api/error.ts";
import { MIN_EPOCH_HEADER } from "#schema/api/route.ts";

/**
 * Reads `Cloverleaf-Min-Epoch`: null when it is absent. Any run of digits is a number, capped at 2^53 - 1, so that a vehicle with a wild counter is still
 * routed; anything else is the caller's mistake.
 */
export const parseMinEpoch = (header: string | undefined): number | null => {
  if (header === undefined) return null;
  if (!/^\d{1,64}$/.test(header)) throw new AppError("bad_request", `${MIN_EPOCH_HEADER} is a whole number in decimal digits`);
  return Math.min(Number(header), Number.MAX_SAFE_INTEGER);
};
