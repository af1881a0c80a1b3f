import { describe, expect, test } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import { createTestRouter } from "./support/router.ts";
import { freshVin } from "./support/world.ts";

const MIN_EPOCH = "Cloverleaf-Min-Epoch";

const routerWith = async (epoch: number) => {
  const router = await createTestRouter();
  const vin = freshVin();
  await router.assign(vin, "cell-a", epoch);
  return { router, vin };
};
const answerOf = async (response: Response) => RouteAnswer.parse(await response.json());

describe("Cloverleaf-Min-Epoch", () => {
  test("I5: a copy older than the vehicle's evidence is not answered; control's newer word is", async () => {
    const { router, vin } = await routerWith(4);
    await router.place(vin, "cell-b", 5, "assigned");
    expect(await answerOf(await router.ask(vin, "/v1/route", { [MIN_EPOCH]: "5" }))).toMatchObject({ cell: "cell-b", epoch: 5 });
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-b", epoch: 5 });
  });

  test("a copy that is new enough is answered without control", async () => {
    const { router, vin } = await routerWith(4);
    expect(await answerOf(await router.ask(vin, "/v1/route", { [MIN_EPOCH]: "4" }))).toMatchObject({ epoch: 4 });
    expect(router.control.state.asked).toEqual([]);
  });

  test("control's answer is final, even if lower, and is not asked for again at once", async () => {
    const { router, vin } = await routerWith(4);
    await router.place(vin, "cell-a", 4, "assigned");
    for (let turn = 0; turn < 3; turn++) {
      const answer = await answerOf(await router.ask(vin, "/v1/route", { [MIN_EPOCH]: "9" }));
      expect(answer).toMatchObject({ cell: "cell-a", epoch: 4, reason: "assigned" });
    }
    expect(router.control.state.asked).toHaveLength(1);
  });

  test("I4: with control away the copy is answered, marked stale", async () => {
    const { router, vin } = await routerWith(4);
    router.control.state.mode = "down";
    const response = await router.ask(vin, "/v1/route", { [MIN_EPOCH]: "5" });
    expect(response.status).toBe(200);
    expect(await answerOf(response)).toMatchObject({ cell: "cell-a", epoch: 4, reason: "stale", ttlSeconds: 30 });
  });

  test("fifty asks at once for one VIN make one call to control", async () => {
    const { router, vin } = await routerWith(4);
    await router.place(vin, "cell-b", 5, "assigned");
    const asks = await Promise.all(Array.from({ length: 50 }, () => router.ask(vin, "/v1/route", { [MIN_EPOCH]: "5" })));
    const answers = await Promise.all(asks.map(answerOf));
    expect(answers.every(({ cell }) => cell === "cell-b")).toBe(true);
    expect(router.control.state.asked).toHaveLength(1);
  });

  test("a vehicle that sends 2^53 for ever is always routed and costs control a few calls a minute", async () => {
    const { router, vin } = await routerWith(4);
    await router.place(vin, "cell-a", 4, "assigned");
    for (let second = 0; second < 60; second++) {
      const response = await router.ask(vin, "/v1/route", { [MIN_EPOCH]: "9007199254740993" });
      expect(await answerOf(response)).toMatchObject({ cell: "cell-a", epoch: 4 });
      await router.clock.advance(1_000);
    }
    expect(router.control.state.asked.length).toBeLessThanOrEqual(7);
  });

  test.each(["-1", "abc", "1.5", "0x10", "1e3", "", " ", "9".repeat(65)])(
    "%j is no whole number: a clear problem, nothing asked",
    async (value) => {
      const { router, vin } = await routerWith(4);
      const response = await router.ask(vin, "/v1/route", { [MIN_EPOCH]: value });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "bad_request" });
      expect(router.control.state.asked).toEqual([]);
    },
  );
});
