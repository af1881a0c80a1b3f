import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACTIVITIES, activityAt, disturbanceOf } from "#schema/domain/activity.ts";
import { balanceZones, type GoalCell, wishFor } from "#schema/domain/campaign-goal.ts";
import { advanceCampaign, CAMPAIGN_EVENTS, CAMPAIGN_STATES } from "#schema/domain/campaign-state.ts";
import { DISTURBANCES } from "#schema/domain/move-message.ts";
import { type LoadedCell, rebalance } from "#schema/domain/rebalance.ts";
import { cell } from "./samples.ts";

const goalCell = (id: string, zone: string | null, more: Partial<GoalCell> = {}): GoalCell => ({
  ...{ id: cell(id), zone, region: "eu-central", state: "active", health: "healthy", vehicles: 0, capacity: 100 },
  ...more,
});
const EU1 = goalCell("cell-eu-1", "eu");
const EU2 = goalCell("cell-eu-2", "eu", { region: "eu-north" });
const CN1 = goalCell("cell-cn-1", "cn", { region: "cn-east" });
const CELLS = [EU1, EU2, CN1];

test("a campaign takes these steps and no other", () => {
  const steps = CAMPAIGN_STATES.flatMap((state) =>
    CAMPAIGN_EVENTS.flatMap((event) => {
      const next = advanceCampaign(state, event);
      return next === null ? [] : [`${state} ${event} -> ${next}`];
    }),
  );
  expect(steps).toEqual([
    "planned start -> running",
    "planned abort -> aborted",
    "running pause -> paused",
    "running abort -> aborted",
    "running finish -> done",
    "paused resume -> running",
    "paused abort -> aborted",
    "paused finish -> done",
  ]);
});

describe("what a goal means for a vehicle", () => {
  const european = { cell: EU1.id, zone: "eu", region: null };
  const free = { cell: EU1.id, zone: null, region: null };
  const drain = { kind: "drain", cell: EU1.id } as const;
  const evacuate = { kind: "evacuate", zone: "eu" } as const;
  const home = { kind: "bring_home" } as const;

  test.each([
    ["I12: a drained cell's vehicles stay in their zone", drain, european, CELLS, { kind: "move", targets: [EU2.id] }],
    ["one without a zone may go anywhere", drain, free, CELLS, { kind: "move", targets: [EU2.id, CN1.id] }],
    ["another cell's vehicles stay", drain, { ...european, cell: EU2.id }, CELLS, { kind: "stay" }],
    ["I12: nowhere to go in its zone", drain, european, [EU1, CN1], { kind: "stuck", reason: "no_cell_in_zone" }],
    ["the only other cell is down", drain, european, [EU1, { ...EU2, health: "down" }], { kind: "stuck", reason: "no_open_cell" }],
    ["an evacuated zone is left by those who may", evacuate, free, CELLS, { kind: "move", targets: [CN1.id] }],
    ["I12: and kept by those who may not", evacuate, european, CELLS, { kind: "stuck", reason: "no_cell_in_zone" }],
    ["who is outside stays", evacuate, { ...free, cell: CN1.id }, CELLS, { kind: "stay" }],
    ["home is where it lives now", home, { ...european, region: "eu-north" }, CELLS, { kind: "move", targets: [EU2.id] }],
    ["at home", home, { ...european, region: "eu-central" }, CELLS, { kind: "stay" }],
    ["I12: never out of its zone, wherever it lives", home, { ...european, region: "cn-east" }, CELLS, { kind: "stay" }],
    ["nobody knows where it lives", home, european, CELLS, { kind: "stay" }],
  ] as const)("%s", (_, goal, vehicle, cells, expected) => {
    expect(wishFor(goal, vehicle, cells)).toEqual(expected);
  });

  test("I12: vehicles are exchanged within a zone only, and between open cells", () => {
    const full = { ...EU1, vehicles: 90 };
    expect(balanceZones([full, EU2, CN1], 0.05)).toEqual([{ from: EU1.id, to: EU2.id, vehicles: 45 }]);
    expect(balanceZones([full, { ...EU2, health: "suspect" }, CN1], 0.05)).toEqual([]);
  });
});

describe("rebalancing", () => {
  const anyCells: fc.Arbitrary<LoadedCell[]> = fc
    .array(fc.record({ capacity: fc.integer({ min: 1_000, max: 20_000 }), fill: fc.double({ min: 0, max: 1, noNaN: true }) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((cells) =>
      cells.map(({ capacity, fill }, index) => ({ id: cell(`cell-${index}`), capacity, vehicles: Math.round(capacity * fill) })),
    );

  test("leaves every cell within the tolerance, nobody below nothing or above its capacity, with fewer flows than cells", () => {
    fc.assert(
      fc.property(anyCells, (cells) => {
        const flows = rebalance(cells, 0.05);
        expect(flows.length).toBeLessThan(Math.max(1, cells.length));
        const total = cells.reduce((sum, { vehicles }) => sum + vehicles, 0);
        const capacity = cells.reduce((sum, each) => sum + each.capacity, 0);
        for (const { id, vehicles, capacity: own } of cells) {
          const given = flows.filter(({ from }) => from === id).reduce((sum, flow) => sum + flow.vehicles, 0);
          const taken = flows.filter(({ to }) => to === id).reduce((sum, flow) => sum + flow.vehicles, 0);
          expect(given === 0 || taken === 0).toBe(true);
          const after = vehicles - given + taken;
          expect(after).toBeGreaterThanOrEqual(0);
          expect(after).toBeLessThanOrEqual(own + 1);
          const part = (total * own) / capacity;
          expect(Math.abs(after - part)).toBeLessThanOrEqual(Math.max(1, 0.05 * part) + 1);
        }
      }),
    );
  });

  test("cells that are within the tolerance exchange nothing", () => {
    const even = [
      { id: cell("cell-a"), vehicles: 1_000, capacity: 2_000 },
      { id: cell("cell-b"), vehicles: 1_040, capacity: 2_000 },
    ];
    expect(rebalance(even, 0.05)).toEqual([]);
    expect(rebalance([], 0.05)).toEqual([]);
  });
});

describe("a vehicle is quiet", () => {
  test.each(ACTIVITIES)("unless it is driving or updating: %s", (activity) => {
    const doings = { hasCommandUnderWay: false, report: { activity, at: 1_000 } };
    const expected = activity === "driving" ? "drive" : activity === "updating" ? "update" : null;
    expect(disturbanceOf(doings, DISTURBANCES, 2_000)).toBe(expected);
    expect(disturbanceOf({ ...doings, hasCommandUnderWay: true }, DISTURBANCES, 2_000)).toBe("command");
    expect(disturbanceOf({ ...doings, hasCommandUnderWay: true }, [], 2_000)).toBeNull();
  });

  test("what it said more than ten minutes ago no longer holds", () => {
    expect(activityAt({ activity: "driving", at: 0 }, 600_000)).toBe("driving");
    expect(activityAt({ activity: "driving", at: 0 }, 600_001)).toBe("parked");
    expect(activityAt(null, 0)).toBe("parked");
  });
});
