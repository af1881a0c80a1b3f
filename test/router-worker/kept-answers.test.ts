import { describe, expect, test } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import { DEFAULT_SETTINGS } from "../../router-worker/settings.ts";
import { createTestRouter, type TestRouter } from "./support/router.ts";
import { cellId, cellOf, deviceToken, freshVin, recordText, routeKey, topologyOf } from "./support/world.ts";

const LIFETIME_SECONDS = 86_400;

/** A vehicle that has asked before, with the token it asks with. */
const seen = async (options: Parameters<typeof createTestRouter>[0] = {}) => {
  const router = await createTestRouter(options);
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  const token = await deviceToken(vin, router.clock.now(), { lifetimeSeconds: LIFETIME_SECONDS });
  const ask = async (path = "/v1/route", headers: Record<string, string> = {}) => router.ask(vin, path, headers, token);
  const answer = async (headers: Record<string, string> = {}) => RouteAnswer.parse(await (await ask("/v1/route", headers)).json());
  await answer();
  return { router, vin, ask, answer };
};

/** Lets what is read behind an answer arrive. */
const refreshed = async (router: TestRouter, ask: () => Promise<Response>, ms: number) => {
  await router.clock.advance(ms);
  await ask();
  await router.clock.advance(10);
};

describe("an answer that is given again", () => {
  test("is the same while nothing has changed, on both calls, and reads nothing", async () => {
    const { router, ask, answer } = await seen();
    const first = await answer();
    const reads = router.kv.state.reads.length;
    expect(await answer()).toEqual(first);
    const connected = await ask("/v1/connect");
    expect(connected.headers.get("Cloverleaf-Ticket")).toBe(first.ticket);
    expect(router.kv.state.reads.length).toBe(reads);
  });

  test("its ticket always has five minutes left", async () => {
    const { router, answer } = await seen();
    const first = await answer();
    await router.clock.advance(300_000);
    expect((await answer()).ticket).toBe(first.ticket);
    await router.clock.advance(1_000);
    const later = await answer();
    expect(later.ticket).not.toBe(first.ticket);
    expect(Date.parse(later.expiresAt) - router.clock.now()).toBe(600_000);
  });

  test("ends with the topology it was made from: a failover reaches the vehicle within one reading", async () => {
    const { router, ask, answer } = await seen();
    router.publish(topologyOf({ version: 8, force: true, failovers: [{ cell: cellId("cell-a"), standby: cellId("cell-b"), term: 1 }] }));
    await refreshed(router, ask, 6_000);
    expect(await answer()).toMatchObject({ cell: "cell-b", reason: "failover", topologyVersion: 8 });
    router.publish(topologyOf({ version: 9 }));
    await refreshed(router, ask, 6_000);
    expect(await answer()).toMatchObject({ cell: "cell-a", reason: "assigned", topologyVersion: 9 });
  });

  test("ends with the record it was made from", async () => {
    const { router, vin, ask, answer } = await seen();
    router.kv.values.set(await routeKey(vin), recordText("cell-c", 5));
    await refreshed(router, ask, 31_000);
    expect(await answer()).toMatchObject({ cell: "cell-c", epoch: 5 });
  });

  test("is not given to a vehicle that has evidence of a newer epoch", async () => {
    const { router, vin, answer } = await seen();
    await router.place(vin, "cell-c", 5, "assigned");
    expect(await answer({ "Cloverleaf-Min-Epoch": "5" })).toMatchObject({ cell: "cell-c", epoch: 5 });
    expect(await answer()).toMatchObject({ cell: "cell-c", epoch: 5 });
  });

  test("says placed only to the vehicle's first request", async () => {
    const router = await createTestRouter();
    const vin = freshVin();
    await router.place(vin, "cell-b", 1);
    const token = await deviceToken(vin, router.clock.now());
    const reasons = [];
    for (let turn = 0; turn < 3; turn++)
      reasons.push(((await (await router.ask(vin, "/v1/route", {}, token)).json()) as { reason: string }).reason);
    expect(reasons).toEqual(["placed", "assigned", "assigned"]);
  });

  test("is not kept when it was given for want of better", async () => {
    const { router, vin, answer } = await seen();
    router.control.state.mode = "down";
    expect(await answer({ "Cloverleaf-Min-Epoch": "9" })).toMatchObject({ reason: "stale" });
    expect(await answer()).toMatchObject({ reason: "assigned" });
    const { cells } = topologyOf();
    router.publish(topologyOf({ version: 8, force: true, cells: { ...cells, "cell-a": cellOf("cell-a", { state: "drained" }) } }));
    await router.clock.advance(6_000);
    await answer();
    await router.clock.advance(10);
    expect(await answer()).toMatchObject({ reason: "stale" });
    router.control.state.mode = "up";
    await router.place(vin, "cell-b", 6, "assigned");
    await router.clock.advance(60_000);
    expect(await answer()).toMatchObject({ cell: "cell-b", epoch: 6, reason: "assigned" });
  });

  test("counts and is counted against its limits like any other", async () => {
    const limits = { ...DEFAULT_SETTINGS.limits, caller: { name: "caller", perSecond: 1, burst: 10 } };
    const { router, ask } = await seen({ settings: { limits } });
    const statuses = [];
    for (let turn = 0; turn < 15; turn++) statuses.push((await ask()).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(6);
    const text = await (await router.app.request("/metrics")).text();
    expect(text).toContain('requests_total{outcome="served",reason="assigned"} 10');
    expect(text).toContain('requests_total{outcome="refused",reason="rate_limited"} 6');
    expect(text).toContain("decision_seconds_count 10");
  });
});
