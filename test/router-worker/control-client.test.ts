import { decodeJwt, importJWK, type JWK, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { publicJwkOf } from "#schema/crypto/keys.ts";
import { createTestRouter } from "./support/router.ts";
import { freshVin, KEYS, POP } from "./support/world.ts";

const placedBy = async (mode: "down" | "hangs" | "not_the_writer" | "busy" | "internal") => {
  const router = await createTestRouter();
  const vin = freshVin();
  await router.place(vin, "cell-b", 1);
  router.standby.assignments.set(vin, { cell: "cell-c", epoch: 1, reason: "placed" });
  router.standby.state.mode = "up";
  router.control.state.mode = mode;
  return { router, vin };
};

const bodyOf = async (response: Response) => (await response.json()) as { cell?: string; code?: string };

describe("control, as the router calls it", () => {
  test.each(["down", "not_the_writer", "busy", "internal"] as const)("%s: the second control-worker is asked at once", async (mode) => {
    const { router, vin } = await placedBy(mode);
    expect(await bodyOf(await router.ask(vin))).toMatchObject({ cell: "cell-c" });
  });

  test("hanging: the second control-worker still has its turn within the budget", async () => {
    const { router, vin } = await placedBy("hangs");
    const asked = router.ask(vin);
    while (router.control.state.asked.length === 0) await router.clock.advance(0);
    await router.clock.advance(500);
    expect(await bodyOf(await asked)).toMatchObject({ cell: "cell-c" });
  });

  test("the one that answered last is asked first", async () => {
    const { router, vin } = await placedBy("not_the_writer");
    await router.ask(vin);
    const next = freshVin();
    router.standby.assignments.set(next, { cell: "cell-c", epoch: 1, reason: "placed" });
    expect(await bodyOf(await router.ask(next))).toMatchObject({ cell: "cell-c" });
    expect([router.control.state.asked.length, router.standby.state.asked.length]).toEqual([1, 2]);
  });

  test("a refusal with a reason of its own is final: the second is not asked to think otherwise", async () => {
    const router = await createTestRouter();
    router.control.state.mode = "no_capacity";
    router.standby.state.mode = "up";
    expect((await router.ask(freshVin())).status).toBe(503);
    expect(router.standby.state.asked).toEqual([]);
  });

  test("each call is signed by the POP, carries the trace on, and names VIN and issuer in the body only", async () => {
    const router = await createTestRouter();
    const vin = freshVin();
    await router.place(vin, "cell-b", 1);
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await router.ask(vin, "/v1/route", { traceparent });
    const [request] = router.control.state.asked;
    if (request === undefined) throw new Error("control was not asked");
    const token = (request.headers.get("Authorization") ?? "").replace("Bearer ", "");
    expect(decodeJwt(token)).toMatchObject({ iss: POP, aud: "cloverleaf-control" });
    await jwtVerify(token, await importJWK(publicJwkOf(KEYS.pop) as JWK), { currentDate: new Date(router.clock.now()) });
    expect(request.headers.get("traceparent")).toBe(traceparent);
    expect(await request.json()).toEqual({ vin, issuer: "https://devices.example" });
    expect(request.url).not.toContain(vin);
  });

  test.each(["00-zz-00-01", "x".repeat(200), ""])("a malformed traceparent is not passed on: %s", async (traceparent) => {
    const router = await createTestRouter();
    const vin = freshVin();
    await router.place(vin, "cell-b", 1);
    await router.ask(vin, "/v1/route", { traceparent });
    expect(router.control.state.asked[0]?.headers.has("traceparent")).toBe(false);
  });

  test("breakers of both are visible in the metrics", async () => {
    const router = await createTestRouter();
    router.control.state.mode = "down";
    router.standby.state.mode = "down";
    for (let turn = 0; turn < 5; turn++) await router.ask(freshVin());
    const text = await (await router.app.request("/metrics")).text();
    expect(text).toContain('cloverleaf_router_breaker_state{target="control"} 2');
    expect(text).toContain('cloverleaf_router_breaker_state{target="standby"} 2');
    expect(text).toContain('cloverleaf_router_breaker_state{target="kv"} 0');
  });
});
