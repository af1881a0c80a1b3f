import { describe, expect, test } from "vitest";
import { answerOf, askInTime, routerWithVehicle, STEP_MS } from "./support/asking.ts";
import { deviceToken, freshVin } from "./support/world.ts";

describe("control", () => {
  test("hanging: an unknown vehicle is refused within the budget, and after a few at once; known ones never notice", async () => {
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    router.control.state.mode = "hangs";
    router.standby.state.mode = "hangs";
    const took: number[] = [];
    for (let turn = 0; turn < 12; turn++) {
      const { response, tookMs } = await askInTime(router, freshVin());
      expect(response.status).toBe(503);
      took.push(tookMs);
      await answerOf(await router.ask(vin));
    }
    expect(Math.max(...took)).toBeLessThanOrEqual(800 + STEP_MS);
    expect(Math.min(...took)).toBe(0);
  });

  test("a thousand unknown vehicles at once: calls in flight stay bounded, the rest is told to come back, a known vehicle is served among them", async () => {
    const { router, vin } = await routerWithVehicle({ settings: {} });
    router.control.state.mode = "hangs";
    router.standby.state.mode = "hangs";
    await router.ask(vin);
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => deviceToken(freshVin(), router.clock.now())));
    const crowd = tokens.map((token) => router.app.request("/v1/route", { headers: { Authorization: `Bearer ${token}` } }));
    await router.clock.advance(1);
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-a" });
    expect(router.control.state.asked.length).toBeLessThanOrEqual(256);
    await router.clock.advance(2_000);
    const statuses = (await Promise.all(crowd)).map(({ status, headers }) => `${status} ${headers.has("Retry-After")}`);
    expect(new Set(statuses)).toEqual(new Set(["503 true"]));
  });

  test("a POP whose clock is off by five minutes corrects itself by control's word and is placed all the same", async () => {
    const { router } = await routerWithVehicle();
    const vin = freshVin();
    await router.place(vin, "cell-b", 1);
    router.control.state.skewMs = 300_000;
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-b", reason: "placed" });
    const other = freshVin();
    await router.place(other, "cell-b", 1);
    await answerOf(await router.ask(other));
    expect(router.control.state.asked).toHaveLength(3);
  });
});
