import type { VinKey } from "#schema/domain/vin-key.ts";

/** The first 128 bits of a vinKey as four unsigned words, reused between calls: read it before the next one. */
export type PackedKey = Uint32Array;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SEXTETS = new Uint8Array(128);
for (let i = 0; i < ALPHABET.length; i++) SEXTETS[ALPHABET.charCodeAt(i)] = i;

/** Packs a vinKey into `into` (RFC 4648 §5); its last four bits do not fit and are not needed to tell vehicles apart. */
export const packKey = (vinKey: VinKey, into: PackedKey): PackedKey => {
  const at = (index: number): number => SEXTETS[vinKey.charCodeAt(index) & 127] ?? 0;
  into[0] = (at(0) << 26) | (at(1) << 20) | (at(2) << 14) | (at(3) << 8) | (at(4) << 2) | (at(5) >> 4);
  into[1] = (at(5) << 28) | (at(6) << 22) | (at(7) << 16) | (at(8) << 10) | (at(9) << 4) | (at(10) >> 2);
  into[2] = (at(10) << 30) | (at(11) << 24) | (at(12) << 18) | (at(13) << 12) | (at(14) << 6) | at(15);
  into[3] = (at(16) << 26) | (at(17) << 20) | (at(18) << 14) | (at(19) << 8) | (at(20) << 2) | (at(21) >> 4);
  return into;
};
