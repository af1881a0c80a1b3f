import { describe, expect, test } from "vitest";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { compareStored } from "./audit.ts";
import { createHistogram } from "./histogram.ts";
import { parseFleetOptions } from "./options.ts";
import { furtherVins } from "./registry.ts";
import { type FleetFacts, failuresOf } from "./verdict.ts";

describe("the audit", () => {
  const ledger = (acknowledged: readonly string[], stored: readonly string[] | null) => ({ acknowledged: new Set(acknowledged), stored });
  const nothing = { stored: 0, missing: [], duplicated: [], unreadable: 0 };

  test("I7: an acknowledged message that is not stored is missing", () => {
    expect(compareStored([ledger(["a", "b"], ["a"])])).toEqual({ ...nothing, stored: 1, missing: ["b"] });
  });

  test("a message that one cell holds twice is found, acknowledged or not", () => {
    expect(compareStored([ledger(["a"], ["a", "a", "b", "b"])])).toEqual({ ...nothing, stored: 1, duplicated: ["a", "b"] });
  });

  test("a message stored without its acknowledgement is no fault", () => {
    expect(compareStored([ledger(["a"], ["a", "b"])])).toEqual({ ...nothing, stored: 1 });
  });

  test("a cell that has given the vehicle up is not blamed, and what a move brought along counts once", () => {
    expect(compareStored([ledger(["a", "b"], null), ledger(["c"], ["b", "c"])])).toEqual({ ...nothing, stored: 2, unreadable: 1 });
  });

  test("a message held by two cells is one message", () => {
    expect(compareStored([ledger(["a"], ["a"]), ledger(["b"], ["a", "b"])])).toEqual({ ...nothing, stored: 2 });
  });
});

describe("the verdict", () => {
  const fine: FleetFacts = {
    tally: { acknowledged: 10, rejected: 0, commandsSent: 2, commandsSucceeded: 1, violations: [] },
    isInterrupted: false,
    neverConnected: 0,
    disconnectedAtEnd: 0,
    unacknowledged: 0,
    audits: [{ stored: 10, missing: [], duplicated: [], unreadable: 0 }],
    auditFailures: [],
  };

  test("a run without a fault passes", () => {
    expect(failuresOf(fine)).toEqual([]);
  });

  test.each<[string, Partial<FleetFacts>]>([
    ["acknowledged messages are missing", { audits: [{ stored: 9, missing: ["x"], duplicated: [], unreadable: 0 }] }],
    ["stored more than once", { audits: [{ stored: 9, missing: [], duplicated: ["x"], unreadable: 0 }] }],
    ["no vehicle may execute", { tally: { ...fine.tally, violations: ["a vehicle executed a repeated command"] } }],
    ["could not be read back", { auditFailures: ["503"] }],
    ["never connected", { neverConnected: 1, disconnectedAtEnd: 1 }],
    ["not connected at the end", { disconnectedAtEnd: 1 }],
    ["not acknowledged in time", { unacknowledged: 1 }],
    ["rejected by a cell", { tally: { ...fine.tally, rejected: 1 } }],
    ["no message was acknowledged", { tally: { ...fine.tally, acknowledged: 0 } }],
    ["none of the commands succeeded", { tally: { ...fine.tally, commandsSucceeded: 0 } }],
  ])("%s: the run fails, and says only that", (reason, fault) => {
    const failures = failuresOf({ ...fine, ...fault });
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain(reason);
  });

  test("an interrupted run is judged by what it did, not by what was still to come", () => {
    expect(failuresOf({ ...fine, isInterrupted: true, neverConnected: 3, disconnectedAtEnd: 3, unacknowledged: 2 })).toEqual([]);
    expect(
      failuresOf({ ...fine, isInterrupted: true, audits: [{ stored: 0, missing: ["x"], duplicated: [], unreadable: 0 }] }),
    ).toHaveLength(1);
  });
});

describe("further VINs", () => {
  const known = ["WVWZZZ1JZXW000001", "1M8GDM9AXKP042788", "LSVAA4182E2184847"].map((text) => {
    const vin = parseVin(text);
    if (!isVin(vin)) throw new Error(vin.detail);
    return vin;
  });

  test("are valid, new and distinct, of the known manufacturers", () => {
    const further = furtherVins(known, 1000);
    expect(new Set<Vin>([...known, ...further]).size).toBe(1003);
    for (const vin of further) expect(isVin(parseVin(vin))).toBe(true);
    expect(new Set(further.map((vin) => vin.slice(0, 3)))).toEqual(new Set(["WVW", "1M8", "LSV"]));
  });
});

describe("the histogram", () => {
  test("percentiles are within 2 % of what was recorded", () => {
    const histogram = createHistogram();
    for (let i = 1; i <= 1000; i++) histogram.record(i);
    for (const share of [0.01, 0.5, 0.99, 1]) {
      const ratio = (histogram.percentile(share) ?? 0) / (share * 1000);
      expect(ratio).toBeGreaterThanOrEqual(0.98);
      expect(ratio).toBeLessThanOrEqual(1.02);
    }
  });

  test("nothing recorded, nothing claimed", () => {
    expect(createHistogram().percentile(0.5)).toBeNull();
  });
});

describe("the command line", () => {
  test("defaults, LAB_DATA and every option", () => {
    expect(parseFleetOptions([], {})).toMatchObject({ dataDir: ".lab", vehicles: 100, seconds: 20, rate: 1, protocols: [5, 4] });
    expect(parseFleetOptions([], { LAB_DATA: "x" })).toMatchObject({ dataDir: "x" });
    const argv = ["--vehicles", "500", "--seconds", "5", "--rate", "2.5", "--protocol", "4", "--data", "y", "--commands", "0"];
    expect(parseFleetOptions(argv, { LAB_DATA: "x" })).toEqual({
      ...{ dataDir: "y", vehicles: 500, seconds: 5, rate: 2.5, protocols: [4], commandShare: 0 },
    });
    expect(parseFleetOptions(["--help"], {})).toBe("help");
  });

  test.each([
    [["--vehicles", "0"]],
    [["--vehicles", "many"]],
    [["--seconds", "-1"]],
    [["--protocol", "3"]],
    [["--speed", "9"]],
    [["extra"]],
  ])("%j is refused", (argv) => {
    expect(() => parseFleetOptions(argv, {})).toThrow();
  });
});
