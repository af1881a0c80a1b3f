/** Just enough of ASN.1 DER (X.690) to write certificates. */
export type Der = Uint8Array;

const lengthOf = (length: number): number[] => {
  if (length < 0x80) return [length];
  const bytes = [...Buffer.from(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, "0"), "hex")];
  return [0x80 | bytes.length, ...bytes];
};

const tagged = (tag: number, content: Uint8Array): Der => Buffer.concat([Uint8Array.of(tag, ...lengthOf(content.length)), content]);

export const sequence = (...members: readonly Der[]): Der => tagged(0x30, Buffer.concat(members));
export const set = (...members: readonly Der[]): Der => tagged(0x31, Buffer.concat(members));
export const utf8 = (text: string): Der => tagged(0x0c, Buffer.from(text));
export const octets = (content: Uint8Array): Der => tagged(0x04, content);
export const isTrue: Der = tagged(0x01, Uint8Array.of(0xff));
/** A non-negative integer of these big-endian bytes. */
export const integer = (bytes: Uint8Array): Der => tagged(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Uint8Array.of(0), bytes]) : bytes);
export const bits = (content: Uint8Array, unused = 0): Der => tagged(0x03, Buffer.concat([Uint8Array.of(unused), content]));
export const explicit = (number: number, content: Der): Der => tagged(0xa0 | number, content);
export const implicit = (number: number, content: Uint8Array): Der => tagged(0x80 | number, content);

/** RFC 5280 §4.1.2.5.1: right until 2049. */
export const utcTime = (date: Date): Der => tagged(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-T:]/g, "")}Z`));

const base128 = (value: number): number[] => (value < 0x80 ? [value] : [...base128(value >> 7).map((byte) => byte | 0x80), value & 0x7f]);

export const objectId = (dotted: string): Der => {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Uint8Array.of(first * 40 + second, ...rest.flatMap(base128)));
};
