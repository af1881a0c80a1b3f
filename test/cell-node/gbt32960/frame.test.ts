import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, type Frame, HEADER_BYTES, MAX_DATA_BYTES } from "../../../cell-node/gbt32960/frame.ts";
import { createFrameReader } from "../../../cell-node/gbt32960/frame-reader.ts";
import { hex, requestOf } from "./support/frames.ts";

const VIN = "LSVAU2A37K2100001";

const frames: fc.Arbitrary<Frame> = fc.record({
  edition: fc.constantFrom(2016 as const, 2025 as const),
  command: fc.integer({ min: 0, max: 255 }),
  answer: fc.integer({ min: 0, max: 255 }),
  id: fc.stringMatching(/^[A-Z0-9]{0,17}$/),
  encryption: fc.integer({ min: 0, max: 255 }),
  data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

/** The bytes cut at arbitrary places. */
const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end));
};

describe("frames", () => {
  test("a heartbeat is these bytes, byte for byte (table 2)", () => {
    const bytes = requestOf({ command: 0x07, id: VIN });
    expect(bytes.toString("hex")).toBe(`232307fe${Buffer.from(VIN).toString("hex")}010000ab`);
  });

  test("the editions differ in their start only: $$ is 2025", () => {
    const bytes = requestOf({ command: 0x07, id: VIN, edition: 2025 });
    expect(bytes.subarray(0, 2).toString()).toBe("$$");
    expect(bytes.subarray(2)).toEqual(requestOf({ command: 0x07, id: VIN }).subarray(2));
  });

  test("what was written is read, whatever the chunks", () => {
    fc.assert(
      fc.property(fc.array(frames, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(), { maxLength: 20 }), (sent, at) => {
        const reader = createFrameReader(MAX_DATA_BYTES);
        const reads = cut(Buffer.concat(sent.map(encodeFrame)), at).flatMap((chunk) => reader.push(chunk));
        expect(reads).toEqual(sent.map((frame) => ({ kind: "frame", frame })));
        expect(reader.isMidFrame).toBe(false);
      }),
    );
  });

  test("a byte changed anywhere behind the start is noticed, and the next frame is read all the same", () => {
    const next = requestOf({ command: 0x07, id: VIN });
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, change) => {
        const bytes = encodeFrame(frame);
        const at = 2 + (place % (bytes.length - 2));
        fc.pre(at !== 22 && at !== 23);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const reads = createFrameReader(MAX_DATA_BYTES).push(Buffer.concat([bytes, next]));
        expect(reads.map(({ kind }) => kind)).toEqual(["bad_check", "frame"]);
      }),
    );
  });

  test("another start ends the stream at its second byte", () => {
    for (const start of ["00", "2324", "2423", "4745"]) {
      const reader = createFrameReader(MAX_DATA_BYTES);
      expect(reader.push(hex(start))).toEqual([{ kind: "bad_start" }]);
      expect(reader.push(requestOf({ command: 7, id: VIN }))).toEqual([]);
    }
  });

  test("a length beyond the limit is refused from the header alone", () => {
    const bytes = requestOf({ command: 2, id: VIN, data: Buffer.alloc(1000) });
    expect(createFrameReader(999).push(bytes.subarray(0, HEADER_BYTES))).toEqual([{ kind: "too_long", dataBytes: 1000 }]);
    const header = bytes.subarray(0, HEADER_BYTES);
    header.writeUInt16BE(0xffff, 22);
    expect(createFrameReader(MAX_DATA_BYTES).push(header)).toEqual([{ kind: "too_long", dataBytes: 0xffff }]);
  });
});
