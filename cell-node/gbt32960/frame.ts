/** 2016: `##`; 2025: `$$` (GB/T 32960.3-2025 table 2). */
export const EDITIONS = { 2016: 0x23, 2025: 0x24 } as const;
export type Edition = 2016 | 2025;

/** Tables 3 and B.2. */
export const COMMANDS = {
  vehicleLogin: 0x01,
  realtime: 0x02,
  reissue: 0x03,
  vehicleLogout: 0x04,
  platformLogin: 0x05,
  platformLogout: 0x06,
  heartbeat: 0x07,
  clockSync: 0x08,
} as const;

/** The answer flag of a frame that asks for an answer (§6.3.2). */
export const IS_COMMAND = 0xfe;
export const PLAIN = 0x01;

/** `id` is the VIN, or what a platform calls itself. */
export type Frame = {
  readonly edition: Edition;
  readonly command: number;
  readonly answer: number;
  readonly id: string;
  readonly encryption: number;
  readonly data: Buffer;
};

export const HEADER_BYTES = 24;
export const MAX_DATA_BYTES = 65_531;
const ID_BYTES = 17;

/** Block check character: the exclusive or of everything between the start and the check itself. */
export const checkOf = (bytes: Uint8Array): number => bytes.reduce((check, byte) => check ^ byte, 0);

export const encodeFrame = ({ edition, command, answer, id, encryption, data }: Frame): Buffer => {
  const bytes = Buffer.alloc(HEADER_BYTES + data.length + 1);
  bytes.fill(EDITIONS[edition], 0, 2);
  bytes[2] = command;
  bytes[3] = answer;
  bytes.write(id.slice(0, ID_BYTES), 4, "latin1");
  bytes[21] = encryption;
  bytes.writeUInt16BE(data.length, 22);
  data.copy(bytes, HEADER_BYTES);
  bytes[bytes.length - 1] = checkOf(bytes.subarray(2, -1));
  return bytes;
};

export type FrameHeader = Omit<Frame, "data"> & { readonly dataBytes: number };

/** Reads 24 bytes; null when they do not start a frame. */
export const parseHeader = (bytes: Buffer): FrameHeader | null => {
  const start = bytes[0];
  const edition = start === EDITIONS[2016] ? 2016 : start === EDITIONS[2025] ? 2025 : null;
  if (edition === null || bytes[1] !== start) return null;
  return {
    edition,
    command: bytes.readUInt8(2),
    answer: bytes.readUInt8(3),
    id: bytes.toString("latin1", 4, 4 + ID_BYTES).replace(/[\0 ]+$/, ""),
    encryption: bytes.readUInt8(21),
    dataBytes: bytes.readUInt16BE(22),
  };
};
