import { checkOf, EDITIONS, type Frame, type FrameHeader, HEADER_BYTES, parseHeader } from "./frame.ts";

/** `bad_check` leaves the stream readable; after `bad_start` and `too_long` nothing in it can be trusted. */
export type FrameRead =
  | { readonly kind: "frame"; readonly frame: Frame }
  | { readonly kind: "bad_check"; readonly frame: Frame }
  | { readonly kind: "bad_start" }
  | { readonly kind: "too_long"; readonly dataBytes: number };

export type FrameReader = {
  /** What the chunk completes, in order. Nothing is read after a fault that ends the stream. */
  push(chunk: Buffer): readonly FrameRead[];
  /** A frame has begun and is not complete. */
  readonly isMidFrame: boolean;
};

type Body = { readonly header: FrameHeader; readonly bytes: Buffer; readonly check: number; filled: number };

const STARTS: readonly number[] = Object.values(EDITIONS);

const mayStart = ([first, second]: Buffer): boolean =>
  first === undefined || (STARTS.includes(first) && (second === undefined || second === first));

/** Cuts a byte stream into frames. Holds one frame at most; its room is taken once the length is known to be allowed. */
export const createFrameReader = (maxDataBytes: number): FrameReader => {
  const head = Buffer.alloc(HEADER_BYTES);
  let headFilled = 0;
  let body: Body | null = null;
  let isEnded = false;

  const readHead = (chunk: Buffer): { taken: number; fault: FrameRead | null } => {
    const taken = chunk.copy(head, headFilled, 0, HEADER_BYTES - headFilled);
    headFilled += taken;
    // A wrong start is told from its first two bytes, not after 24.
    if (!mayStart(head.subarray(0, headFilled))) return { taken, fault: { kind: "bad_start" } };
    if (headFilled < HEADER_BYTES) return { taken, fault: null };
    const header = parseHeader(head);
    if (header === null) return { taken, fault: { kind: "bad_start" } };
    if (header.dataBytes > maxDataBytes) return { taken, fault: { kind: "too_long", dataBytes: header.dataBytes } };
    body = { header, bytes: Buffer.allocUnsafe(header.dataBytes + 1), check: checkOf(head.subarray(2)), filled: 0 };
    headFilled = 0;
    return { taken, fault: null };
  };

  const complete = ({ header, bytes, check }: Body): FrameRead => {
    const { dataBytes, ...rest } = header;
    const data = bytes.subarray(0, dataBytes);
    const frame = { ...rest, data };
    return { kind: (check ^ checkOf(data)) === bytes[dataBytes] ? "frame" : "bad_check", frame };
  };

  return {
    push(chunk) {
      const reads: FrameRead[] = [];
      let rest = chunk;
      while (rest.length > 0 && !isEnded) {
        if (body === null) {
          const { taken, fault } = readHead(rest);
          rest = rest.subarray(taken);
          if (fault !== null) {
            reads.push(fault);
            isEnded = true;
          }
          continue;
        }
        const current: Body = body;
        const taken = rest.copy(current.bytes, current.filled);
        current.filled += taken;
        rest = rest.subarray(taken);
        if (current.filled < current.bytes.length) continue;
        reads.push(complete(current));
        body = null;
      }
      return reads;
    },
    get isMidFrame() {
      return body !== null || headFilled > 0;
    },
  };
};
