import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FeedPage, FeedRecord } from "#schema/api/feed.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { vinKeyOfMac } from "#schema/domain/vin-key.ts";
import { type AskFeed, followFeed } from "../../router-worker/store/replica/follow-feed.ts";
import { createReplica } from "../../router-worker/store/replica/replica.ts";

const keyOf = (name: number) => vinKeyOfMac(createHash("sha256").update(String(name)).digest());
const clock = { now: () => 1_000, monotonic: () => 1_000, after: () => () => undefined };
const VEHICLES = 20;

/** Truth with its feed: a snapshot in pages of three, then a log. */
const createFeed = () => {
  const truth = new Map<number, { cell: CellId; epoch: number }>();
  const log: FeedRecord[] = [];
  let timeline = 1;
  const change = (vehicle: number, cell: CellId | null, floor = 0): void => {
    const epoch = Math.max(truth.get(vehicle)?.epoch ?? 0, floor, log.length) + 1;
    if (cell === null) truth.delete(vehicle);
    else truth.set(vehicle, { cell, epoch });
    log.push([keyOf(vehicle), cell, epoch]);
  };
  const page = (from: string | null): FeedPage | null => {
    const [line, kind, at, start] = (from ?? `${timeline}.snapshot.0.${log.length}`).split(".");
    if (Number(line) !== timeline) return null;
    const offset = Number(at);
    if (kind === "log") {
      const records = log.slice(offset, offset + 3);
      const next = offset + records.length;
      return { from, cursor: `${timeline}.log.${next}`, hasMore: next < log.length, isSnapshot: false, records };
    }
    const all = [...truth].sort(([left], [right]) => left - right);
    const records = all.slice(offset, offset + 3).map(([vehicle, { cell, epoch }]): FeedRecord => [keyOf(vehicle), cell, epoch]);
    const hasMore = offset + 3 < all.length;
    const cursor = hasMore ? `${timeline}.snapshot.${offset + 3}.${start}` : `${timeline}.log.${start}`;
    return { from, cursor, hasMore, isSnapshot: true, records };
  };
  return { truth, change, page, restore: () => (timeline += 1), length: () => log.length };
};

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      vehicle: fc.nat(VEHICLES - 1),
      cell: fc.constantFrom("cell-a", "cell-b", null),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("step" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("skip" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restore" as const) }) },
);

describe("I5: the replica", () => {
  test("equals the truth again after any changes, repeated and skipped pages, and restores", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 120 }), async (actions) => {
        const feed = createFeed();
        const replica = createReplica(clock, null);
        const seen: FeedPage[] = [];
        const honest: AskFeed = async ({ cursor }) => {
          const page = feed.page(cursor);
          if (page === null) return { kind: "resnapshot" };
          seen.push(page);
          return { kind: "page", page };
        };
        const repeating: AskFeed = async (held) => {
          const old = seen.at(-2);
          return old === undefined ? honest(held) : { kind: "page", page: old };
        };
        const skipping: AskFeed = async (held) => {
          const first = feed.page(held.cursor);
          const second = first === null ? null : feed.page(first.cursor);
          return second === null ? honest(held) : { kind: "page", page: second };
        };
        const asks = { step: honest, repeat: repeating, skip: skipping };
        for (const next of actions) {
          if (next.kind === "change") feed.change(next.vehicle, next.cell as CellId | null);
          else if (next.kind === "restore") feed.restore();
          else await followFeed(asks[next.kind], replica);
        }
        for (let quiet = 0; quiet < 2; ) quiet = (await followFeed(honest, replica)) === "idle" ? quiet + 1 : 0;
        expect(replica.table.size()).toBe(feed.truth.size);
        for (let vehicle = 0; vehicle < VEHICLES; vehicle++)
          expect(replica.table.get(keyOf(vehicle))).toEqual(feed.truth.get(vehicle) ?? null);
      }),
    );
  });

  test("serves what it holds while a new snapshot is on its way, and only then drops what is gone", async () => {
    const feed = createFeed();
    for (let vehicle = 0; vehicle < 6; vehicle++) feed.change(vehicle, "cell-a" as CellId);
    const replica = createReplica(clock, null);
    const ask: AskFeed = async ({ cursor }) => {
      const page = feed.page(cursor);
      return page === null ? { kind: "resnapshot" } : { kind: "page", page };
    };
    expect([await followFeed(ask, replica), replica.isComplete()]).toEqual(["more", false]);
    expect([await followFeed(ask, replica), replica.isComplete()]).toEqual(["idle", true]);
    feed.truth.delete(5);
    feed.restore();
    expect(await followFeed(ask, replica)).toBe("restarted");
    await followFeed(ask, replica);
    expect(replica.table.get(keyOf(5))).not.toBeNull();
    expect(await followFeed(ask, replica)).toBe("idle");
    expect(replica.table.get(keyOf(5))).toBeNull();
  });

  test("is not kept on disk in the middle of a snapshot, which nobody else could end", async () => {
    const feed = createFeed();
    for (let vehicle = 0; vehicle < 6; vehicle++) feed.change(vehicle, "cell-a" as CellId);
    const replica = createReplica(clock, null);
    const ask: AskFeed = async ({ cursor }) => {
      const page = feed.page(cursor);
      return page === null ? { kind: "resnapshot" } : { kind: "page", page };
    };
    const isKept = async () => [await followFeed(ask, replica), replica.snapshot() !== null];
    expect([await isKept(), await isKept()]).toEqual([
      ["more", false],
      ["idle", true],
    ]);
    feed.restore();
    expect([await isKept(), await isKept(), await isKept()]).toEqual([
      ["restarted", false],
      ["more", false],
      ["idle", true],
    ]);
  });

  test("a feed that is away changes nothing", async () => {
    const feed = createFeed();
    feed.change(1, "cell-a" as CellId);
    const replica = createReplica(clock, null);
    await followFeed(async ({ cursor }) => ({ kind: "page", page: feed.page(cursor) as FeedPage }), replica);
    expect(await followFeed(async () => ({ kind: "away", detail: "refused" }), replica)).toBe("away");
    expect(replica.table.get(keyOf(1))).toEqual({ cell: "cell-a", epoch: 1 });
  });
});
