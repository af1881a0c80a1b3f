import { describe, expect, test } from "vitest";
import { alarmEvent, alarmStateOf, NO_ALARM } from "../../../cell-node/gbt32960/events.ts";
import type { Edition } from "../../../cell-node/gbt32960/frame.ts";
import { decodeInformation, isFault } from "../../../cell-node/gbt32960/information.ts";
import { type Report, reportIdOf, toTelemetry } from "../../../cell-node/gbt32960/telemetry.ts";
import { newVehicle } from "../support/vehicles.ts";
import { alarmUnit, hex, TIME, TIME_BYTES, VEHICLE_2016 } from "./support/frames.ts";

const reportWith = (units: string, edition: Edition = 2016, isReissued = false): Report => {
  const information = decodeInformation(edition, hex(TIME_BYTES, units));
  if (isFault(information)) throw new Error(information.reason);
  return { ...information, edition, isReissued, id: "a-report" };
};

describe("telemetry", () => {
  test("carries the common fields on top and the units below their names", () => {
    expect(toTelemetry(reportWith(VEHICLE_2016))).toMatchObject({
      ...{ id: "a-report", at: new Date(TIME).toISOString(), protocol: "gbt32960-2016", speedKmh: 60.5, soc: 80, odometerKm: 7716.5 },
      vehicle: { state: "started", voltageV: 400 },
    });
    expect(toTelemetry(reportWith(VEHICLE_2016))).not.toHaveProperty("isReissued");
    expect(toTelemetry(reportWith(VEHICLE_2016, 2016, true))).toMatchObject({ isReissued: true });
  });

  test("has numbers only where something was measured, and says what the vehicle calls abnormal", () => {
    const telemetry = toTelemetry(reportWith("01 01 03 01 ffff fffffffe 0fa0 2710 fe 01 0f 1388 00 00 09 01 01 0002 41 fe"));
    expect(telemetry).toMatchObject({ storageTemperatures: [{ probesCelsius: [25, null] }] });
    expect(telemetry["abnormal"]).toEqual(["/vehicle/odometerKm", "/vehicle/socPercent", "/storageTemperatures/0/probesCelsius/1"]);
    expect(telemetry).not.toHaveProperty("speedKmh");
    expect(telemetry["vehicle"]).not.toHaveProperty("speedKmh");
    expect(JSON.stringify(telemetry)).not.toMatch(/"(in)?valid"/);
  });

  test("a list sent in two units is one list", () => {
    expect(toTelemetry(reportWith("09 01 01 0001 41 09 01 02 0001 42"))).toMatchObject({
      storageTemperatures: [{ subsystem: 1 }, { subsystem: 2 }],
    });
  });

  test("a place that is not on the earth is left out", () => {
    expect(toTelemetry(reportWith("05 01 ffffffff ffffffff"))).not.toHaveProperty("position");
    expect(toTelemetry(reportWith("05 00 06f3190f 01dc38c1"))).toMatchObject({ position: { longitude: 116.594959, latitude: 31.209665 } });
  });

  test("bytes that nobody can read are kept", () => {
    expect(toTelemetry(reportWith("80 0001 ff 30 01"))).toMatchObject({
      others: [
        { kind: "custom", code: 0x80, bytes: "/w==" },
        { kind: "opaque", code: 0x30, bytes: "AQ==" },
      ],
    });
  });

  test("the same report has the same id, sent live or again; another vehicle's or edition's has another", async () => {
    const [{ vin }, other] = [await newVehicle(), await newVehicle()];
    const data = hex(TIME_BYTES, VEHICLE_2016);
    expect(reportIdOf(vin, 2016, data)).toBe(reportIdOf(vin, 2016, Buffer.from(data)));
    expect(new Set([reportIdOf(vin, 2016, data), reportIdOf(other.vin, 2016, data), reportIdOf(vin, 2025, data)]).size).toBe(3);
  });
});

describe("alarms", () => {
  const state = (units: string) => alarmStateOf(reportWith(units)) ?? NO_ALARM;
  const overheated = reportWith(alarmUnit(2, "00000002", "0000000a"));

  test("an alarm is an event when it is raised, not each time it is repeated", () => {
    const now = state(alarmUnit(2, "00000002", "0000000a"));
    expect(alarmEvent(overheated, NO_ALARM, now)).toEqual({
      ...{ specversion: "1.0", id: "a-report-alarm", source: "gbt32960", type: "vehicle.alarm", datacontenttype: "application/json" },
      time: new Date(TIME).toISOString(),
      data: {
        ...{ level: 2, alarms: ["battery_overheat"], faults: ["storage:10"] },
        ...{ raised: ["battery_overheat", "storage:10"], lifted: [] },
      },
    });
    expect(alarmEvent(overheated, now, now)).toBeNull();
  });

  test("what changed is told: another level, one more, all gone", () => {
    const [before, worse, none] = [state(alarmUnit(1, "00000002")), state(alarmUnit(3, "00000802")), state(alarmUnit(0, "00000000"))];
    expect(alarmEvent(overheated, before, worse)?.data).toMatchObject({ level: 3, raised: ["insulation"], lifted: [] });
    expect(alarmEvent(overheated, before, { ...before, level: 2 })?.type).toBe("vehicle.alarm");
    expect(alarmEvent(overheated, worse, none)).toMatchObject({
      type: "vehicle.alarm.lifted",
      data: { lifted: ["battery_overheat", "insulation"] },
    });
    expect(alarmEvent(overheated, NO_ALARM, none)).toBeNull();
  });

  test("a report without the alarm unit says nothing of alarms", () => {
    expect(alarmStateOf(reportWith(VEHICLE_2016))).toBeNull();
  });
});
