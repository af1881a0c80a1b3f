/** Reads big-endian numbers in order (GB/T 32960.3 §6.1.2). Once it has run over the end it answers zeros and `isBroken` stays true. */
export type ByteReader = {
  readonly isBroken: boolean;
  readonly remaining: number;
  uint(bytes: 1 | 2 | 4): number;
  take(length: number): Buffer;
};

export type ByteWriter = {
  uint(value: number, bytes: 1 | 2 | 4): void;
  put(bytes: Uint8Array): void;
  finish(): Buffer;
};

const EMPTY = Buffer.alloc(0);

export const createReader = (bytes: Buffer): ByteReader => {
  let offset = 0;
  let isBroken = false;
  const claim = (length: number): boolean => {
    if (isBroken || offset + length > bytes.length) isBroken = true;
    else offset += length;
    return !isBroken;
  };
  return {
    get isBroken() {
      return isBroken;
    },
    get remaining() {
      return isBroken ? 0 : bytes.length - offset;
    },
    uint: (length) => (claim(length) ? bytes.readUIntBE(offset - length, length) : 0),
    take: (length) => (claim(length) ? bytes.subarray(offset - length, offset) : EMPTY),
  };
};

export const createWriter = (): ByteWriter => {
  const parts: Uint8Array[] = [];
  return {
    uint(value, length) {
      const part = Buffer.allocUnsafe(length);
      part.writeUIntBE(value, 0, length);
      parts.push(part);
    },
    put: (bytes) => void parts.push(bytes),
    finish: () => Buffer.concat(parts),
  };
};
