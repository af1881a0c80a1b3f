import type { Brand } from "./brand.ts";

/** What stands for a VIN in KV, logs, metrics and broker client ids: base64url(HMAC-SHA-256(pepper, VIN)), 22 characters. */
export type VinKey = Brand<string, "VinKey">;

const VIN_KEY_LENGTH = 22;
/** Enough for 22 characters of base64, in whole groups of three. */
const VIN_KEY_BYTES = 18;

/** The vinKey of a 32-byte HMAC-SHA-256 of the VIN under the pepper. */
export const vinKeyOfMac = (mac: Uint8Array): VinKey =>
  btoa(String.fromCharCode(...mac.subarray(0, VIN_KEY_BYTES)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .slice(0, VIN_KEY_LENGTH) as VinKey;

/** Reads a vinKey from outside; null when it cannot be one. */
export const parseVinKey = (input: unknown): VinKey | null =>
  typeof input === "string" && /^[A-Za-z0-9_-]{22}$/.test(input) ? (input as VinKey) : null;
