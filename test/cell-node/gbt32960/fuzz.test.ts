import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { decide } from "../../../cell-node/gbt32960/decide.ts";
import { COMMANDS, checkOf, MAX_DATA_BYTES } from "../../../cell-node/gbt32960/frame.ts";
import { createFrameReader } from "../../../cell-node/gbt32960/frame-reader.ts";
import type { Peer } from "../../../cell-node/gbt32960/peer.ts";
import { toTelemetry } from "../../../cell-node/gbt32960/telemetry.ts";
import { newVehicle } from "../support/vehicles.ts";
import { alarmUnit, hex, reportOf, requestOf, TIME_BYTES, VEHICLE_2016 } from "./support/frames.ts";

const ROUNDS = 100_000;
const PLATFORM: Peer = { kind: "platform", address: "192.0.2.1" };

/** A small generator with a seed (mulberry32): a failing round can be had again. */
const randomFrom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** Array buffers are freed behind the collector's back: a turn of the loop and a second round let it finish. */
const heapBytes = async (): Promise<number> => {
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

describe("hostile bytes", () => {
  test(`${ROUNDS} mutated frames never throw, never hang, never grow memory, and every one that is whole is decided`, async () => {
    const { vin } = await newVehicle();
    const units = `${VEHICLE_2016} 02 01 01 01 41 59d8 5208 42 0e10 2904 ${alarmUnit(3, "00000802", "00000001")} 08 01 01 0d59 2900 0068 0001 02 0cd0 ffff 09 01 01 0003 00 fa fe 80 0002 abcd`;
    const units2025 =
      "07 01 01 0d59 7720 0002 0cd0 0cd1 08 01 01 0002 41 ff 30 01 01 0bb8 01f4 03f3 03e8 2a 0001 6e 31 01 0fa0 7530 0001 0a8c 0001 41 ff 01 0002 abcd 0001 ef";
    const seeds = [
      reportOf(vin, { units }),
      reportOf(vin, { units: units2025, edition: 2025, command: COMMANDS.reissue }),
      requestOf({ command: COMMANDS.vehicleLogin, id: vin, data: hex(TIME_BYTES, "0001", "38".repeat(20), "02 04 41424344 45464748") }),
      requestOf({
        command: COMMANDS.vehicleLogin,
        id: vin,
        edition: 2025,
        data: hex(TIME_BYTES, "0001", "38".repeat(20), "01 01", "41".repeat(24)),
      }),
      requestOf({ command: COMMANDS.platformLogin, id: vin, data: hex(TIME_BYTES, "0001", "41".repeat(32), "01") }),
    ];
    const random = randomFrom(20_261_120);
    const below = (limit: number): number => Math.floor(random() * limit);
    const peers: readonly Peer[] = [PLATFORM, { kind: "vehicle", vin }];
    const decided: Record<string, number> = {};

    const mutate = (seed: Buffer): Buffer => {
      const bytes = Buffer.from(seed);
      for (let i = below(6); i >= 0; i--) bytes[below(bytes.length)] = below(256);
      const cut = below(4) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
      // Half of them carry a right start, length and check, so that the damage reaches the data unit.
      if (below(2) === 0 || cut.length < 25) return cut;
      seed.copy(cut, 0, 0, 2);
      cut.writeUInt16BE(cut.length - 25, 22);
      cut[cut.length - 1] = checkOf(cut.subarray(2, -1));
      return cut;
    };

    const round = (): void => {
      const reader = createFrameReader(MAX_DATA_BYTES);
      for (const read of reader.push(mutate(seeds[below(seeds.length)] ?? Buffer.alloc(0)))) {
        if (read.kind !== "frame") continue;
        const decision = decide(peers[below(2)] ?? PLATFORM, below(4) > 0, read.frame);
        decided[decision.kind] = (decided[decision.kind] ?? 0) + 1;
        if (decision.kind !== "report") continue;
        const { edition } = read.frame;
        JSON.parse(JSON.stringify(toTelemetry({ ...decision.information, edition, isReissued: false, id: "x" })));
      }
    };

    for (let i = 0; i < ROUNDS / 10; i++) round();
    const before = await heapBytes();
    for (let i = ROUNDS / 10; i < ROUNDS; i++) round();
    expect((await heapBytes()) - before).toBeLessThan(5 * 1024 * 1024);
    for (const kind of ["answer", "report", "presence", "log_in"]) expect(decided[kind]).toBeGreaterThan(100);
  }, 30_000);

  test("counts that promise more than there is cost no more than what is there", () => {
    const promises = ["09 fd 01 fffd", "08 fa 01 0000 0000 fffd 0001 fd", "02 fd", "03 0000 0000 0000 fffd"];
    for (const units of promises) {
      const [read] = createFrameReader(MAX_DATA_BYTES).push(reportOf("WVWZZZ1JZXW000001", { units }));
      if (read?.kind !== "frame") throw new Error("not a frame");
      expect(decide(PLATFORM, true, read.frame)).toEqual({ kind: "answer", outcome: "malformed", isLast: false });
    }
  });
});
