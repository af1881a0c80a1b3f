import fc from "fast-check";
import { expect, test } from "vitest";
import { keepCopy, takeCopy, takeFeed, takeLock, takeSettle } from "#schema/domain/cell-move.ts";
import { laterFailover } from "#schema/domain/failover.ts";
import { advance, react } from "#schema/domain/move.ts";
import type { MoveOrder } from "#schema/domain/move-message.ts";
import { advanceStanding } from "#schema/domain/standing.ts";
import { anyFailover } from "../failover-samples.ts";
import { anyCopy, anyEvent, anyHolding, anyMove, anyOrder, anyReport, SOURCE, TARGET, THIRD } from "../move-samples.ts";
import { isOldAccount, isOldCopy, isOldOrder, isOldReport } from "./dead.ts";

const RUNS = { numRuns: 5_000 };
const anyCell = fc.constantFrom(SOURCE, TARGET, THIRD);

test("an old report is ignored, now and whatever becomes of the move", () => {
  fc.assert(
    fc.property(anyMove, anyCell, anyReport, fc.array(anyEvent, { maxLength: 6 }), (start, from, report, events) => {
      fc.pre(isOldReport(start, from, report));
      let move = start;
      for (const event of events) {
        expect(react(move, from, report)).toEqual({ kind: "ignore" });
        move = advance(move, event) ?? move;
      }
      expect(react(move, from, report)).toEqual({ kind: "ignore" });
    }),
    RUNS,
  );
});

test("an old order changes nothing that a cell holds", () => {
  const obey = (self: typeof SOURCE, holding: Parameters<typeof takeLock>[0], order: MoveOrder) => {
    if (order.kind === "settle") return takeSettle(self, holding, order);
    return order.kind === "lock" ? takeLock(holding, order, { disturbance: null, nowMs: 0 }) : takeCopy(holding, order);
  };
  fc.assert(
    fc.property(anyCell, anyHolding, anyOrder, (self, holding, order) => {
      fc.pre(isOldOrder(holding, order));
      const answer = obey(self, holding, order);
      if (answer === null) return;
      expect(["grant", "pull"]).not.toContain(answer.kind);
      if (answer.kind === "obeyed") expect(answer.holding.record).toEqual(holding.record);
    }),
    RUNS,
  );
});

test("a copy of an old step is never kept", () => {
  fc.assert(
    fc.property(anyHolding, anyCopy, (holding, order) => {
      fc.pre(isOldCopy(holding, order));
      const answer = keepCopy(holding, order, "sum");
      if (answer.kind === "obeyed") expect(answer.holding).toBe(holding);
    }),
    RUNS,
  );
});

test("I2: a line of the feed that is not newer changes no record", () => {
  fc.assert(
    fc.property(anyCell, anyHolding, anyCell, fc.integer({ min: 1, max: 6 }), (self, holding, cell, epoch) => {
      fc.pre(holding.record !== null && epoch <= holding.record.epoch);
      expect(takeFeed(self, holding, { cell, epoch })).toBe(holding.record);
    }),
    RUNS,
  );
});

test("I2: no order and no line of the feed ever lowers an epoch", () => {
  fc.assert(
    fc.property(anyCell, anyHolding, anyOrder, (self, holding, order) => {
      const epoch = holding.record?.epoch ?? 0;
      const fed = takeFeed(self, holding, { cell: order.peer, epoch: order.epoch });
      expect(fed.epoch).toBeGreaterThanOrEqual(epoch);
      const settled = order.kind === "settle" ? takeSettle(self, holding, order) : null;
      if (settled !== null) expect(settled.holding.record?.epoch ?? 0).toBeGreaterThanOrEqual(epoch);
    }),
    RUNS,
  );
});

test("an old account changes nothing of what a cell knows", () => {
  fc.assert(
    fc.property(anyFailover, anyFailover, (known, told) => {
      fc.pre(isOldAccount(known, told));
      expect(laterFailover(known, told)).toBe(known);
      expect(advanceStanding({ mode: "told", failover: known }, { kind: "answered", failover: told }).failover).toBe(known);
    }),
  );
});
