import type { Vin } from "#schema/domain/vin.ts";
import { type VinKey, vinKeyOfMac } from "#schema/domain/vin-key.ts";

export type VinKeyer = (vin: Vin) => Promise<VinKey>;

/** vinKeys under one pepper (at least 32 characters of secret): HMAC-SHA-256 as in FIPS 198-1. */
export const createVinKeyer = (pepper: string): VinKeyer => {
  if (pepper.length < 32) throw new RangeError("a pepper has at least 32 characters");
  const encoder = new TextEncoder();
  const key = crypto.subtle.importKey("raw", encoder.encode(pepper), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return async (vin) => vinKeyOfMac(new Uint8Array(await crypto.subtle.sign("HMAC", await key, encoder.encode(vin))));
};
