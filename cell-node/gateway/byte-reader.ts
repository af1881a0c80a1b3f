/** Reads MQTT's wire types in order. Once it has run over the end it answers empties and `isBroken` stays true. */
export type ByteReader = {
  readonly offset: number;
  readonly isBroken: boolean;
  byte(): number;
  uint16(): number;
  /** Variable Byte Integer (MQTT 5.0 §1.5.5). */
  varint(): number;
  take(length: number): Buffer;
  /** Two bytes of length, then the bytes. */
  binary(): Buffer;
};

const EMPTY = Buffer.alloc(0);
const MAX_VARINT_BYTES = 4;

export const createByteReader = (bytes: Buffer, start: number): ByteReader => {
  let offset = start;
  let isBroken = false;
  const take = (length: number): Buffer => {
    if (isBroken || offset + length > bytes.length) {
      isBroken = true;
      return EMPTY;
    }
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const byte = (): number => take(1)[0] ?? 0;
  const uint16 = (): number => byte() * 256 + byte();
  return {
    get offset() {
      return offset;
    },
    get isBroken() {
      return isBroken;
    },
    byte,
    uint16,
    varint() {
      let value = 0;
      for (let i = 0; i < MAX_VARINT_BYTES; i++) {
        const digit = byte();
        value += (digit & 0x7f) * 128 ** i;
        if ((digit & 0x80) === 0) return value;
      }
      isBroken = true;
      return 0;
    },
    take,
    binary: () => take(uint16()),
  };
};
