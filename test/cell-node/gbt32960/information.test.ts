import { describe, expect, test } from "vitest";
import type { Edition } from "../../../cell-node/gbt32960/frame.ts";
import { decodeInformation, encodeInformation, isFault } from "../../../cell-node/gbt32960/information.ts";
import { hex, TIME, TIME_BYTES } from "./support/frames.ts";

const unitsOf = (edition: Edition, ...units: readonly string[]) => {
  const data = hex(TIME_BYTES, ...units);
  const information = decodeInformation(edition, data);
  if (isFault(information)) throw new Error(information.reason);
  expect(encodeInformation(edition, information)).toEqual(data);
  expect(information.time).toBe(TIME);
  return information.units;
};

const onlyUnit = (edition: Edition, unit: string): unknown => {
  const [first] = unitsOf(edition, unit);
  return first?.kind === "known" ? { [first.name]: first.value } : first;
};

const ALL_OF_2016: readonly (readonly [string, string, object])[] = [
  [
    "whole vehicle, table B.4",
    "01 01 03 01 025d 00012d6d 0fa0 2710 50 01 2f 1388 20 65",
    {
      vehicle: {
        ...{ state: "started", charging: "not_charging", mode: "electric", speedKmh: 60.5, odometerKm: 7716.5, voltageV: 400, currentA: 0 },
        ...{ socPercent: 80, converter: "working", insulationKohm: 5000, acceleratorPercent: 32, brakePercent: 101 },
        gear: { gear: "park", hasDriveForce: true, hasBrakeForce: false, isValid: true },
      },
    },
  ],
  [
    "whole vehicle, everything abnormal or invalid",
    "01 fe ff fe ffff fffffffe ffff fffe fe ff 00 fffe ff fe",
    {
      vehicle: {
        ...{ state: "abnormal", charging: "invalid", mode: "abnormal", speedKmh: "invalid", odometerKm: "abnormal", voltageV: "invalid" },
        ...{ currentA: "abnormal", socPercent: "abnormal", converter: "invalid", insulationKohm: "abnormal" },
        ...{ acceleratorPercent: "invalid", brakePercent: "abnormal" },
        gear: { gear: "neutral", hasDriveForce: false, hasBrakeForce: false, isValid: true },
      },
    },
  ],
  [
    "drive motors, tables 10 and 11",
    "02 01 01 01 41 59d8 5208 42 0e10 2904",
    {
      motors: [
        {
          ...{ number: 1, state: "consuming", controllerCelsius: 25, speedRpm: 3000, torqueNm: 100, celsius: 26 },
          ...{ controllerVoltageV: 360, controllerCurrentA: 50 },
        },
      ],
    },
  ],
  [
    "fuel cell, table 12",
    "03 0bb8 01f4 0064 0002 41 42 028a 01 1388 02 015e 03 01",
    {
      fuelCell: {
        ...{ voltageV: 300, currentA: 50, consumptionKgPer100Km: 1, probesCelsius: [25, 26], hydrogenCelsius: 25, hottestProbe: 1 },
        ...{ hydrogenMgPerKg: 5000, densestSensor: 2, hydrogenMpa: 35, highestPressureSensor: 3, converter: "working" },
      },
    },
  ],
  ["engine, table 13", "04 01 07d0 028a", { engine: { state: "started", crankshaftRpm: 2000, consumptionLPer100Km: 6.5 } }],
  ["position, table 14", "05 00 06f3190f 01dc38c1", { position: { isFixed: true, longitude: 116.594959, latitude: 31.209665 } }],
  [
    "position, south and west, last known",
    "05 07 0000000a 00000014",
    { position: { isFixed: false, longitude: -0.00001, latitude: -0.00002 } },
  ],
  [
    "extremes, table 16",
    "06 01 05 0ce4 01 08 0cc6 01 02 45 01 03 43",
    {
      extremes: {
        ...{ highestVoltageSubsystem: 1, highestVoltageCell: 5, highestVoltageV: 3.3, lowestVoltageSubsystem: 1, lowestVoltageCell: 8 },
        ...{ lowestVoltageV: 3.27, highestTemperatureSubsystem: 1, highestTemperatureProbe: 2, highestCelsius: 29 },
        ...{ lowestTemperatureSubsystem: 1, lowestTemperatureProbe: 3, lowestCelsius: 27 },
      },
    },
  ],
  [
    "alarms, tables 17 and 18",
    "07 03 80000802 02 00000001 ffffffff 00 fe ff",
    {
      alarms: {
        ...{ level: 3, alarms: ["battery_overheat", "insulation", "bit31"], storageFaults: [1, 0xffffffff], motorFaults: [] },
        ...{ engineFaults: "abnormal", otherFaults: "invalid" },
      },
    },
  ],
  [
    "storage voltages, tables B.5 and B.6",
    "08 01 01 0d59 2900 0068 0001 02 0cd0 ffff",
    {
      storageVoltages: [{ subsystem: 1, voltageV: 341.7, currentA: 49.6, cellCount: 104, firstCell: 1, cellsV: [3.28, "invalid"] }],
    },
  ],
  [
    "storage temperatures, tables B.7 and B.8",
    "09 02 01 0003 00 fa fe 02 ffff",
    {
      storageTemperatures: [
        { subsystem: 1, probesCelsius: [-40, 210, "abnormal"] },
        { subsystem: 2, probesCelsius: "invalid" },
      ],
    },
  ],
];

const ALL_OF_2025: readonly (readonly [string, string, object])[] = [
  [
    "whole vehicle, table 10: currents reach 3000 A, no pedals",
    "01 01 03 02 025d 00012d6d 0fa0 7530 50 02 9d 1388",
    {
      vehicle: {
        ...{ state: "started", charging: "not_charging", mode: "hybrid", speedKmh: 60.5, odometerKm: 7716.5, voltageV: 400, currentA: 0 },
        ...{ socPercent: 80, converter: "disconnected", insulationKohm: 5000 },
        gear: { gear: "reverse", hasDriveForce: false, hasBrakeForce: true, isValid: false },
      },
    },
  ],
  [
    "drive motors, tables 15 and 16: four bytes of torque",
    "02 01 01 02 41 88b8 00031128 fe",
    { motors: [{ number: 1, state: "generating", controllerCelsius: 25, speedRpm: 3000, torqueNm: 100, celsius: "abnormal" }] },
  ],
  [
    "fuel cell engine and hydrogen, table 17",
    "03 0041 01 2710 02 015e 03 01 3c 46",
    {
      fuelCell: {
        ...{ hydrogenCelsius: 25, hottestProbe: 1, hydrogenPercent: 1, densestSensor: 2, hydrogenMpa: 35, highestPressureSensor: 3 },
        ...{ converter: "working", remainingHydrogenPercent: 60, converterCelsius: 30 },
      },
    },
  ],
  ["engine, table 20", "04 07d0", { engine: { crankshaftRpm: 2000 } }],
  [
    "position, table 21",
    "05 02 02 06f3190f 01dc38c1",
    { position: { isFixed: true, longitude: 116.594959, latitude: -31.209665, system: "gcj02" } },
  ],
  [
    "alarms, tables 23 and 24: level 4, levels of the common alarms",
    "06 04 00800000 00 00 00 00 01 17 04",
    {
      alarms: {
        ...{ level: 4, alarms: ["thermal_event"], storageFaults: [], motorFaults: [], engineFaults: [], otherFaults: [] },
        levels: [{ alarm: 23, level: 4 }],
      },
    },
  ],
  [
    "pack voltages, tables 11 and 12",
    "07 01 01 0d59 7720 0002 0cd0 0cd1",
    { packVoltages: [{ pack: 1, voltageV: 341.7, currentA: 49.6, cellsV: [3.28, 3.281] }] },
  ],
  ["pack temperatures, tables 13 and 14", "08 01 01 0002 41 ff", { packTemperatures: [{ pack: 1, probesCelsius: [25, "invalid"] }] }],
  [
    "fuel cell stacks, tables 18 and 19",
    "30 01 01 0bb8 01f4 03f3 03e8 2a 0001 6e",
    {
      fuelCellStacks: [
        {
          ...{ number: 1, voltageV: 300, currentA: 50, hydrogenInletKpa: 1.1, airInletKpa: 0, airInletCelsius: 2 },
          coolantOutletsCelsius: [70],
        },
      ],
    },
  ],
  [
    "supercapacitor, table 25",
    "31 01 0fa0 7530 0001 0a8c 0001 41",
    { capacitor: { system: 1, voltageV: 400, currentA: 0, cellsV: [2.7], probesCelsius: [25] } },
  ],
  [
    "supercapacitor extremes, table 26: two bytes for cells and probes",
    "32 01 fffe 0a8c 01 0102 0a82 01 0103 42 01 0104 41",
    {
      capacitorExtremes: {
        ...{ highestVoltageSystem: 1, highestVoltageCell: 0xfffe, highestVoltageV: 2.7, lowestVoltageSystem: 1, lowestVoltageCell: 258 },
        ...{ lowestVoltageV: 2.69, highestTemperatureSystem: 1, highestTemperatureProbe: 259, highestCelsius: 26 },
        ...{ lowestTemperatureSystem: 1, lowestTemperatureProbe: 260, lowestCelsius: 25 },
      },
    },
  ],
  ["signature, table 8", "ff 01 0002 abcd 0001 ef", { signature: { algorithm: "sm2", r: "q80=", s: "7w==" } }],
];

describe.each([
  [2016, ALL_OF_2016],
  [2025, ALL_OF_2025],
] as const)("information units of %i", (edition, table) => {
  test.each(table)("%s", (_, unit, expected) => expect(onlyUnit(edition, unit)).toEqual(expected));

  test("units follow each other without a gap", () => {
    const last = table.at(-1)?.[1] ?? "";
    expect(unitsOf(edition, ...table.map(([, unit]) => unit), last)).toHaveLength(table.length + 1);
  });

  test("a known unit that is cut short is malformed, wherever it is cut", () => {
    for (const [, unit] of table) {
      const whole = hex(TIME_BYTES, unit);
      for (let length = 7; length < whole.length; length++) {
        expect(decodeInformation(edition, whole.subarray(0, length))).toMatchObject({ kind: "malformed" });
      }
    }
  });
});

describe("what has no public layout", () => {
  test("the user's own units have a length and are kept as they are", () => {
    expect(unitsOf(2016, "80 0003 010203", "fe 0000", "04 02 0000 0000")).toEqual([
      { kind: "custom", code: 0x80, bytes: "AQID" },
      { kind: "custom", code: 0xfe, bytes: "" },
      expect.objectContaining({ name: "engine" }),
    ]);
  });

  test("an unknown type has no length: the rest is kept with it, never guessed", () => {
    expect(unitsOf(2016, "04 02 0000 0000", "30 0001 04")).toEqual([
      expect.objectContaining({ name: "engine" }),
      { kind: "opaque", code: 0x30, bytes: "AAEE" },
    ]);
    expect(unitsOf(2025, "09 aabb")).toEqual([{ kind: "opaque", code: 9, bytes: "qrs=" }]);
  });
});

describe("time", () => {
  test.each(["1a0d01000000", "1a0b1f000000", "1a0b14180000", "1a0b14003c00", "640b14000000", "ffffffffffff", "1a0b14"])(
    "%s is no time",
    (bytes) => {
      expect(decodeInformation(2016, hex(bytes))).toMatchObject({ kind: "malformed" });
    },
  );

  test("midnight in Beijing is 16:00 of the day before", () => {
    expect(decodeInformation(2016, hex("1a0101000000"))).toMatchObject({ time: Date.UTC(2025, 11, 31, 16) });
  });
});
