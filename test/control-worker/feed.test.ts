import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FeedPage } from "#schema/api/feed.ts";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { type AskFeed, followFeed } from "../../router-worker/store/replica/follow-feed.ts";
import { createReplica } from "../../router-worker/store/replica/replica.ts";
import { type Control, call, createControl } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

const clock = { now: () => 1, monotonic: () => 1, after: () => () => undefined };
let control: Control;
let pop: Member;

beforeEach(async () => {
  control = await createControl();
  pop = await createMember("pop-1");
  await addPop(control, pop);
  for (const id of ["cell-a", "cell-b"]) await addCell(control, await createMember(id), { hardLimit: 10_000 });
});
afterEach(() => control.close());

const ask: AskFeed = async ({ cursor, topologyVersion }) => {
  const query = new URLSearchParams({ topology: String(topologyVersion), ...(cursor !== null && { cursor }) });
  const answer = await call(control.app, "GET", `/v1/feed?${query}`, { token: await assertionOf(control, pop) });
  if (answer.status === 304) return { kind: "unchanged" };
  if (answer.status === 410) return { kind: "resnapshot" };
  return answer.status === 200 ? { kind: "page", page: FeedPage.parse(answer.json) } : { kind: "away", detail: answer.text };
};

const importVehicles = async (count: number) => {
  const lines = Array.from({ length: count }, (_, n) => JSON.stringify({ vin: vinOf(n) })).join("\n");
  await call(control.app, "POST", "/v1/vehicles/import", { body: lines, headers: { "Content-Type": "application/x-ndjson" } });
};

const catchUp = async (replica: ReturnType<typeof createReplica>): Promise<string[]> => {
  const steps: string[] = [];
  do steps.push(await followFeed(ask, replica));
  while (steps.at(-1) !== "idle" && steps.length < 20);
  return steps;
};

describe("the change feed", () => {
  test("I5: brings a replica to the truth, by a snapshot in pages and then by increments", async () => {
    await importVehicles(5_500);
    const replica = createReplica(clock, null);
    expect(await catchUp(replica)).toEqual(["more", "idle"]);
    expect([replica.table.size(), replica.isComplete()]).toEqual([5_500, true]);

    const vin = vinOf(7);
    const before = (await call(control.app, "GET", `/v1/vehicles/${vin}`)).json;
    const cell = before["cell"] === "cell-a" ? "cell-b" : "cell-a";
    await call(control.app, "PATCH", `/v1/vehicles/${vin}`, { body: { cell } });
    await catchUp(replica);
    const vinKey = await createVinKeyer(control.config.peppers[0].secret)(vin as Vin);
    expect(replica.table.get(vinKey)).toEqual({ cell, epoch: Number(before["epoch"]) + 1 });

    await control.database.sql("delete from assignments where vin = ?", vin);
    await catchUp(replica);
    expect([replica.table.get(vinKey), replica.table.size()]).toEqual([null, 5_499]);
  });

  test("answers 304 when nothing is new, and the topology only to who holds another version", async () => {
    const replica = createReplica(clock, null);
    await control.core.tick();
    await catchUp(replica);
    expect(replica.topologyVersion()).toBeGreaterThan(0);
    expect(await ask({ cursor: replica.cursor(), topologyVersion: replica.topologyVersion() })).toEqual({ kind: "unchanged" });
    const other = await ask({ cursor: replica.cursor(), topologyVersion: 0 });
    expect(other.kind === "page" && other.page.topology?.version).toBe(replica.topologyVersion());
  });

  test("I5: after a restore it makes the replica start again", async () => {
    const replica = createReplica(clock, null);
    await importVehicles(3);
    await catchUp(replica);
    await control.database.sql("update meta set timeline = 'another'");
    expect(await catchUp(replica)).toEqual(["restarted", "idle"]);
    expect(replica.table.size()).toBe(3);
  });

  test("is for POPs only, and compresses when asked to", async () => {
    expect((await call(control.app, "GET", "/v1/feed")).status).toBe(401);
    const headers = { Authorization: `Bearer ${await assertionOf(control, pop)}`, "Accept-Encoding": "gzip" };
    const response = await control.app.request("/v1/feed", { headers });
    const page: unknown = JSON.parse(gunzipSync(await response.arrayBuffer()).toString());
    expect([response.headers.get("Content-Encoding"), FeedPage.safeParse(page).success]).toEqual(["gzip", true]);
  });
});
