import { afterEach, expect, test } from "vitest";
import { Campaign, CampaignPlan } from "#schema/api/campaigns.ts";
import { Move } from "#schema/api/moves.ts";
import { pageOf } from "#schema/api/vehicles.ts";
import { ADMIN_TOKEN, call } from "./support/control.ts";
import { vinOf } from "./support/fleet.ts";
import { createMoveLab, keyOf, type MoveLab, ownersOf, round, settle, startCampaign, statesOf, tick } from "./support/move-lab.ts";

let lab: MoveLab;
afterEach(() => lab.control.close());

const read = async (id: string): Promise<Campaign> => Campaign.parse((await call(lab.control.app, "GET", `/v1/campaigns/${id}`)).json);
const steer = (id: string, steering: string) => call(lab.control.app, "POST", `/v1/campaigns/${id}/${steering}`);
const plan = async (body: Record<string, unknown>) =>
  call(lab.control.app, "POST", "/v1/campaigns/plan", { body: { reason: "test", ...body } });
const inHand = async () => (await statesOf(lab)).filter((state) => state !== "planned").length;
const wholeCell = { kind: "cell", cell: "cell-a" };

test("a plan says how many go where and who stays for what reason, and changes nothing", async () => {
  lab = await createMoveLab(4, ["cn", "eu", "cn"]);
  await lab.control.database.sql("update vehicles set zone = 'cn' where vin = ?", vinOf(3));
  const vins = [0, 1, 2, 3, 77].map((n) => vinOf(n));
  const { status, json } = await plan({ selection: { kind: "vins", vins }, targets: ["cell-b"] });
  expect([status, CampaignPlan.parse(json)]).toEqual([
    200,
    {
      vehicles: 3,
      flows: [{ from: "cell-a", to: "cell-b", vehicles: 3 }],
      skipped: { not_registered: 1, no_cell_in_zone: 1 },
      estimatedSeconds: 3 / 200,
    },
  ]);
  expect(await statesOf(lab)).toEqual([]);
});

test("a pinned vehicle stays, and one that is being moved is not re-assigned meanwhile", async () => {
  lab = await createMoveLab(2);
  await lab.control.database.sql("update vehicles set is_pinned = 1 where vin = ?", vinOf(0));
  expect((await plan({ selection: wholeCell, targets: ["cell-b"] })).json).toMatchObject({ vehicles: 1, skipped: { pinned: 1 } });
  await startCampaign(lab);
  const answer = await call(lab.control.app, "PATCH", `/v1/vehicles/${vinOf(1)}`, { body: { cell: "cell-c" } });
  expect([answer.status, answer.json["code"]]).toEqual([409, "conflict"]);
  await settle(lab);
  expect(await ownersOf(lab)).toMatchObject([{ cell: "cell-a" }, { cell: "cell-b" }]);
});

test("a plan fills no target above its limit, counting what is on its way there", async () => {
  lab = await createMoveLab(5);
  await lab.control.database.sql("update cells set hard_limit = 3 where id <> 'cell-a'");
  expect((await plan({ selection: wholeCell, targets: ["cell-b"] })).json).toMatchObject({ vehicles: 3, skipped: { no_capacity: 2 } });
  await startCampaign(lab, { selection: { ...wholeCell, limit: 2 } });
  expect((await plan({ selection: wholeCell, targets: ["cell-b"] })).json).toMatchObject({ vehicles: 1, skipped: { no_capacity: 2 } });
  expect((await plan({ selection: wholeCell })).json).toMatchObject({ vehicles: 3, skipped: {} });
});

test("by the rules of placement vehicles go to any open cell but their own", async () => {
  lab = await createMoveLab(12);
  const id = await startCampaign(lab, { targets: null, policy: { canaryShare: 0 } });
  await settle(lab);
  expect(new Set((await ownersOf(lab)).map(({ cell }) => cell))).toEqual(new Set(["cell-b", "cell-c"]));
  await tick(lab);
  expect(await read(id)).toMatchObject({ state: "done", vehicles: 12, moves: { done: 12 }, failures: {}, stragglers: [] });
});

test("I1: of two campaigns that want the same vehicle the first has it; the other leaves it out", async () => {
  lab = await createMoveLab(3);
  const ids = await Promise.all([startCampaign(lab), startCampaign(lab, { targets: ["cell-c"] })]);
  const campaigns = await Promise.all(ids.map(read));
  expect(campaigns.map(({ vehicles }) => vehicles).sort()).toEqual([0, 3]);
  await settle(lab);
  const [{ cell }] = (await ownersOf(lab)) as [{ cell: string }];
  expect(await ownersOf(lab)).toEqual(Array(3).fill({ cell, epoch: 2 }));
});

test("the canary goes first, and the rest only when all of it has arrived", async () => {
  lab = await createMoveLab(10);
  await startCampaign(lab, { policy: { canaryShare: 0.2 } });
  await tick(lab);
  await tick(lab);
  expect(await inHand()).toBe(2);
  await settle(lab);
  expect(await statesOf(lab)).toEqual(Array(10).fill("done"));
});

test("rate and concurrency bound what begins", async () => {
  lab = await createMoveLab(10);
  await startCampaign(lab, { policy: { canaryShare: 0, ratePerSecond: 3, concurrency: 5 } });
  const begun: number[] = [];
  for (let n = 0; n < 3; n++) {
    await tick(lab);
    begun.push(await inHand());
  }
  expect(begun).toEqual([3, 5, 5]);
});

test("a campaign pauses by itself when more fail than it may, and says so in an alert; an operator resumes it", async () => {
  lab = await createMoveLab(20);
  const id = await startCampaign(lab, { policy: { canaryShare: 0, ratePerSecond: 2 } });
  lab.cells.a.isReachable = false;
  for (let n = 0; n < 12; n++) await round(lab);
  const { state, pausedFor, failures, moves } = await read(id);
  expect([state, pausedFor]).toEqual(["paused", "failures"]);
  expect(failures.copy_failed).toBe(moves.aborted);
  expect(moves.planned).toBeGreaterThan(8);
  expect(await lab.control.database.sql("select kind, subject, resolved_at from alerts")).toEqual([
    { kind: "campaign_failing", subject: id, resolved_at: null },
  ]);
  expect((await steer(id, "resume")).json).toMatchObject({ state: "running", pausedFor: null });
});

test("paused, nothing further begins and what is under way ends; steering twice is steering once", async () => {
  lab = await createMoveLab(6);
  const id = await startCampaign(lab, { policy: { canaryShare: 0, ratePerSecond: 2 } });
  await tick(lab);
  expect((await steer(id, "pause")).json).toMatchObject({ state: "paused", pausedFor: "operator" });
  expect((await steer(id, "pause")).status).toBe(200);
  for (let n = 0; n < 6; n++) await round(lab);
  expect((await read(id)).moves).toEqual({ done: 2, planned: 4 });
  await steer(id, "resume");
  await settle(lab);
  expect(await statesOf(lab)).toEqual(Array(6).fill("done"));
  await tick(lab);
  expect((await steer(id, "abort")).status).toBe(409);
});

test("a campaign that is to wait does so until it is resumed; newcomers do not join it", async () => {
  lab = await createMoveLab(2);
  const id = await startCampaign(lab, { start: false, policy: { canaryShare: 0 } });
  await tick(lab);
  expect(await read(id)).toMatchObject({ state: "planned", moves: { planned: 2 } });
  await lab.control.database.sql("insert into vehicles (vin, vin_key, market, updated_at) values (?, ?, 'eu', 1)", vinOf(9), keyOf(9));
  await lab.control.database.sql("insert into assignments values (?, ?, 'cell-a', 1, 'single', 1)", vinOf(9), keyOf(9));
  await steer(id, "resume");
  await settle(lab);
  expect((await ownersOf(lab)).map(({ cell }) => cell)).toEqual(["cell-b", "cell-b", "cell-a"]);
});

test("no move begins in the quiet hours of its zone", async () => {
  lab = await createMoveLab(1);
  const time = (milliseconds: number) => new Date(lab.control.clock.now + milliseconds).toISOString().slice(11, 16);
  const quietHours = [{ zone: null, from: time(-600_000), to: time(600_000) }];
  await startCampaign(lab, { policy: { quietHours } });
  await tick(lab);
  expect(await inHand()).toBe(0);
  await tick(lab, 700_000);
  expect(await inHand()).toBe(1);
});

test("a vehicle is not moved more often than its disruption budget allows", async () => {
  lab = await createMoveLab(1);
  const policy = { disruptionBudget: { moves: 1, days: 7 } };
  await startCampaign(lab, { policy });
  await settle(lab);
  const back = { selection: { kind: "vins", vins: [vinOf(0)] }, targets: ["cell-a"], policy };
  expect((await plan(back)).json).toMatchObject({ vehicles: 0, skipped: { over_disruption_budget: 1 } });
  lab.control.clock.now += 8 * 24 * 3600 * 1000;
  expect((await plan(back)).json).toMatchObject({ vehicles: 1 });
  await startCampaign(lab, back);
  await settle(lab);
  expect(await ownersOf(lab)).toEqual([{ cell: "cell-a", epoch: 3 }]);
});

test("a straggler is listed with whom it waits for", async () => {
  lab = await createMoveLab(1);
  const id = await startCampaign(lab);
  lab.cells.a.disturbance = "drive";
  await round(lab);
  await tick(lab, 90_000);
  expect((await read(id)).stragglers).toMatchObject([{ state: "locking", waitsFor: "source", vin: vinOf(0) }]);
});

test("progress streams until every move is closed", async () => {
  lab = await createMoveLab(2);
  const id = await startCampaign(lab, { policy: { canaryShare: 0 } });
  await settle(lab);
  await tick(lab);
  const { text, headers } = await call(lab.control.app, "GET", `/v1/campaigns/${id}`, { headers: { Accept: "text/event-stream" } });
  expect(headers.get("Content-Type")).toBe("text/event-stream");
  const events = text.trim().split("\n\n");
  expect(events).toHaveLength(1);
  expect(JSON.parse(events[0]?.replace("event: progress\ndata: ", "") ?? "")).toMatchObject({ state: "done", moves: { done: 2 } });
});

test("answers fit their contracts, and the same Idempotency-Key starts one campaign", async () => {
  lab = await createMoveLab(2);
  const body = { reason: "test", selection: wholeCell, targets: ["cell-b"] };
  const headers = { "Idempotency-Key": "once" };
  const first = await call(lab.control.app, "POST", "/v1/campaigns", { body, headers });
  const again = await call(lab.control.app, "POST", "/v1/campaigns", { body, headers, token: ADMIN_TOKEN });
  expect([first.status, again.status, again.json["id"]]).toEqual([201, 201, first.json["id"]]);
  expect(Campaign.parse(first.json)).toEqual(first.json);
  const page = await call(lab.control.app, "GET", `/v1/moves?campaign=${first.json["id"]}&state=planned&limit=1`);
  expect(pageOf(Move).parse(page.json)).toEqual(page.json);
  expect(page.json["cursor"]).not.toBeNull();
  expect((await call(lab.control.app, "POST", "/v1/campaigns", { body: { ...body, targets: ["cell-z"] } })).status).toBe(404);
  expect((await call(lab.control.app, "GET", "/v1/campaigns/none")).status).toBe(404);
});
