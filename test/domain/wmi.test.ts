import { expect, test } from "vitest";
import { isWmiCovered, marketOfWmi, regionOfWmi } from "#schema/domain/wmi.ts";

test.each([
  ["AHT", "africa", "other"],
  ["GA1", "africa", "other"],
  ["HES", "asia", "cn"],
  ["JHM", "asia", "other"],
  ["KMH", "asia", "other"],
  ["LRW", "asia", "cn"],
  ["LFV", "asia", "cn"],
  ["MA3", "asia", "other"],
  ["SAL", "europe", "eu"],
  ["TMB", "europe", "eu"],
  ["WVW", "europe", "eu"],
  ["ZFF", "europe", "eu"],
  ["1FT", "north-america", "na"],
  ["2HG", "north-america", "na"],
  ["3VW", "north-america", "na"],
  ["5YJ", "north-america", "na"],
  ["7SA", "north-america", "na"],
  ["70A", "north-america", "na"],
  ["7A3", "oceania", "other"],
  ["6T1", "oceania", "other"],
  ["93Y", "south-america", "other"],
  ["0AA", null, "other"],
  ["", null, "other"],
])("manufacturer code %s: region %s, VIN policy %s", (wmi, region, market) => {
  expect([regionOfWmi(wmi), marketOfWmi(wmi)]).toEqual([region, market]);
});

test.each([
  [["WVW"], true],
  [["WV"], true],
  [["LRW", "W"], true],
  [[""], true],
  [["VW"], false],
  [["WVWZ", "LRW"], true],
  [[], false],
])("an issuer bound to %j vouches for WVWZZZ1JZ3W386752: %s", (prefixes, isCovered) => {
  expect(isWmiCovered("WVWZZZ1JZ3W386752", prefixes)).toBe(isCovered);
});
