import { describe, expect, test } from "vitest";
import { ImportLine } from "#schema/api/vehicles.ts";
import { hasValidCheckDigit, isVin, modelYearOf, parseVin, type Vin } from "#schema/domain/vin.ts";
import { marketOfWmi } from "#schema/domain/wmi.ts";
import { labWmis, sampleFleet, toNdjson } from "./sample-fleet.ts";

const fleet = sampleFleet();
const of = (market: string) => fleet.filter((vehicle) => vehicle.market === market);

describe("the sample fleet", () => {
  test("500 different vehicles, the same at every start", () => {
    expect(new Set(fleet.map((vehicle) => vehicle.vin)).size).toBe(500);
    expect(sampleFleet()).toEqual(fleet);
  });

  test("every VIN is valid under its market's policy, which its manufacturer code names too", () => {
    const faults = fleet.map((vehicle) => parseVin(vehicle.vin, vehicle.market)).filter((parsed) => !isVin(parsed));
    expect(faults).toEqual([]);
    expect(fleet.filter((vehicle) => marketOfWmi(vehicle.vin.slice(0, 3)) !== vehicle.market)).toEqual([]);
  });

  test("three markets, two zones, a third part without a zone", () => {
    expect(new Set(of("eu").map((vehicle) => vehicle.zone))).toEqual(new Set(["eu"]));
    expect(new Set(of("cn").map((vehicle) => vehicle.zone))).toEqual(new Set(["cn"]));
    expect(new Set(of("na").map((vehicle) => vehicle.zone))).toEqual(new Set([null]));
    expect([of("eu").length, of("cn").length, of("na").length]).toEqual([200, 150, 150]);
  });

  test("most European VINs have no check digit at position 9, some have; all the others have", () => {
    const valid = (market: string) => of(market).filter((vehicle) => hasValidCheckDigit(vehicle.vin as Vin)).length;
    expect(valid("eu")).toBeGreaterThan(20);
    expect(valid("eu")).toBeLessThan(100);
    expect([valid("cn"), valid("na")]).toEqual([150, 150]);
  });

  test("model years lie between 2018 and 2026", () => {
    const years = fleet.map((vehicle) => modelYearOf(vehicle.vin as Vin, 2027) ?? 0);
    expect(Math.min(...years)).toBe(2018);
    expect(Math.max(...years)).toBe(2026);
  });

  test("each line fits the import's schema, and the issuer's codes cover each VIN", () => {
    const lines = toNdjson(fleet).trimEnd().split("\n");
    expect(lines.map((line) => ImportLine.parse(JSON.parse(line)))).toEqual(fleet);
    expect(fleet.every((vehicle) => labWmis().includes(vehicle.vin.slice(0, 3)))).toBe(true);
  });
});
