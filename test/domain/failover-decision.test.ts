import { describe, expect, test } from "vitest";
import { type HealthFacts, judgeHealth } from "#schema/domain/cell-health.ts";
import { decideFailover, type FailoverCell, type FailoverFacts, mayBeginReturn } from "#schema/domain/failover-decision.ts";
import { failover, OWNER, STANDBY } from "./failover-samples.ts";
import { cell } from "./samples.ts";

describe("health of a cell", () => {
  const lost: HealthFacts = {
    ...{ known: "healthy", wasListening: true, missedSyncs: 3, isProbeOk: false },
    testimonies: [{ witness: STANDBY, isReachable: false }],
  };
  const reached = [{ witness: STANDBY, isReachable: true }];

  test.each<[string, Partial<HealthFacts>, string]>([
    ["in contact", { missedSyncs: 1 }, "healthy"],
    ["two syncs missed", { missedSyncs: 2 }, "suspect"],
    ["three missed, probe and witness fail", {}, "down"],
    ["three missed, but the witness reaches it", { testimonies: reached }, "isolated"],
    ["three missed, but the probe reaches it", { isProbeOk: true }, "isolated"],
    ["I13: the probe alone does not condemn it", { testimonies: [] }, "suspect"],
    ["I13: a witness alone does not condemn it", { isProbeOk: null }, "suspect"],
    ["one witness of two reaches it", { testimonies: [...lost.testimonies, ...reached] }, "isolated"],
    ["control took no syncs: nobody missed any", { wasListening: false }, "healthy"],
    ["control took no syncs: who was down stays so", { wasListening: false, known: "down", missedSyncs: 0 }, "down"],
  ])("%s", (_, facts, health) => {
    expect(judgeHealth({ ...lost, ...facts })).toBe(health);
  });
});

const lostCell: FailoverCell = { id: OWNER, zone: "eu", state: "active", health: "down", failover: failover("serving", 1) };
const standby: FailoverCell = { ...lostCell, id: STANDBY, health: "healthy" };
const NOW = 10_000_000;
const facts: FailoverFacts = {
  ...{ cell: lostCell, standby, policy: "automatic", isForced: false, isRecovering: false },
  ...{ cells: 10, wentDownAt: [NOW], nowMs: NOW },
};
const with_ = (cellMore: Partial<FailoverCell>, standbyMore: Partial<FailoverCell> = {}): Partial<FailoverFacts> => ({
  cell: { ...lostCell, ...cellMore },
  standby: { ...standby, ...standbyMore },
});

describe("whether a cell is failed over", () => {
  const declare = { kind: "declare", standby: STANDBY };
  test.each<[string, Partial<FailoverFacts>, unknown]>([
    ["down, with a fit standby", {}, declare],
    ["not down", with_({ health: "isolated" }), { kind: "none", reason: "not_down" }],
    ["already failed over", with_({ failover: failover("failed_over", 2) }), { kind: "none", reason: "already_failed_over" }],
    ["lost again while its vehicles return", with_({ failover: failover("returning", 2) }), declare],
    [
      "lost again, and another standby named since",
      { ...with_({ failover: failover("returning", 2) }, { id: cell("cell-x") }) },
      { kind: "hold", reason: "standby_unfit" },
    ],
    ["no standby", { standby: null }, { kind: "hold", reason: "no_standby" }],
    ["I12: a standby in another zone", with_({}, { zone: "cn" }), { kind: "hold", reason: "standby_in_other_zone" }],
    ["I12: not even by force", { ...with_({}, { zone: "cn" }), isForced: true }, { kind: "hold", reason: "standby_in_other_zone" }],
    ["a standby that is down too", with_({}, { health: "down" }), { kind: "hold", reason: "standby_unfit" }],
    [
      "a standby that is failed over itself",
      with_({}, { failover: failover("failed_over", 1) }),
      { kind: "hold", reason: "standby_unfit" },
    ],
    ["a standby that takes no traffic", with_({}, { state: "drained" }), { kind: "hold", reason: "standby_unfit" }],
    ["control is gathering the truth after a restore", { isRecovering: true }, { kind: "hold", reason: "recovering" }],
    ["held by an operator", { policy: "held" }, { kind: "hold", reason: "operator" }],
    ["held, and called for", { policy: "held", isForced: true }, declare],
    ["forbidden, and called for", { policy: "forbidden", isForced: true }, { kind: "none", reason: "forbidden" }],
    ["not down, and called for", { ...with_({ health: "healthy" }), isForced: true }, declare],
    ["I13: the second cell of ten within ten minutes", { wentDownAt: [NOW - 599_999, NOW] }, { kind: "hold", reason: "too_many_down" }],
    ["the second cell after ten minutes", { wentDownAt: [NOW - 600_000, NOW] }, declare],
    ["I13: the second of ten, called for by a person", { wentDownAt: [NOW, NOW], isForced: true }, declare],
    ["the only other cell of two", { cells: 2 }, declare],
    ["a tenth of a large fleet", { cells: 50, wentDownAt: Array.from({ length: 5 }, () => NOW) }, declare],
    [
      "I13: more than a tenth of a large fleet",
      { cells: 50, wentDownAt: Array.from({ length: 6 }, () => NOW) },
      { kind: "hold", reason: "too_many_down" },
    ],
  ])("%s", (_, more, expected) => {
    expect(decideFailover({ ...facts, ...more })).toEqual(expected);
  });
});

describe("whether its vehicles may return", () => {
  const back = { ...lostCell, health: "healthy", failover: failover("failed_over", 2) } as const;
  const healthy = { cell: back, isForced: false, policy: "automatic", healthySince: NOW - 60_000, nowMs: NOW } as const;
  test.each([
    ["healthy for a minute", {}, true],
    ["healthy for less", { healthySince: NOW - 59_999 }, false],
    ["healthy for less, and called for", { healthySince: NOW, isForced: true }, true],
    ["not healthy, and called for", { healthySince: null, isForced: true }, false],
    ["held by an operator", { policy: "held" }, false],
    ["not failed over", { cell: { ...back, failover: failover("serving", 2) } }, false],
    ["retired meanwhile", { cell: { ...back, state: "retired" } }, false],
  ] as const)("%s: %j", (_, more, expected) => {
    expect(mayBeginReturn({ ...healthy, ...more })).toBe(expected);
  });
});
