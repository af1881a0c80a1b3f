import { describe, expect, test } from "vitest";
import { answerOf, askInTime, routerWithVehicle } from "./support/asking.ts";
import { createMemoryShelf, createTestRouter } from "./support/router.ts";
import { freshVin } from "./support/world.ts";

describe("KV", () => {
  test.each([60, 300])("I2, I5: %i s behind a change of owner: the new owner stays told once control has said so", async (seconds) => {
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    await router.place(vin, "cell-b", 5, "assigned");
    const first = await router.ask(vin, "/v1/route", { "Cloverleaf-Min-Epoch": "5" });
    expect(await answerOf(first)).toMatchObject({ cell: "cell-b", epoch: 5 });
    for (let passed = 0; passed < seconds; passed += 10) {
      await router.clock.advance(10_000);
      expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-b", epoch: 5 });
    }
    expect(router.control.state.asked).toHaveLength(1);
  });

  test("I4: throwing: known vehicles are answered for hours, at once, and KV is left alone while its breaker is open", async () => {
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    router.kv.state.isBroken = true;
    router.control.state.mode = "down";
    for (let minute = 0; minute < 180; minute++) {
      await router.clock.advance(60_000);
      expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-a", epoch: 4, reason: "assigned" });
    }
    expect(router.kv.state.reads.length).toBeLessThan(3 * 180 + 20);
  });

  test("I4: slow by 5 s: a vehicle whose record is held waits a quarter of a second at worst, and soon not at all", async () => {
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    router.kv.state.slowMs = 5_000;
    const took: number[] = [];
    for (let minute = 0; minute < 12; minute++) {
      await router.clock.advance(60_000);
      const { response, tookMs } = await askInTime(router, vin);
      expect(await answerOf(response)).toMatchObject({ cell: "cell-a", epoch: 4 });
      took.push(tookMs);
    }
    expect(Math.max(...took)).toBeLessThanOrEqual(600);
    expect(took.filter((ms) => ms === 0).length).toBeGreaterThan(0);
  });

  test("slow by 5 s: a vehicle that is new here is answered by control within two seconds", async () => {
    const { router } = await routerWithVehicle();
    await router.ask(freshVin());
    router.kv.state.slowMs = 5_000;
    const vin = freshVin();
    await router.place(vin, "cell-b", 3, "assigned");
    const { response, tookMs } = await askInTime(router, vin);
    expect(await answerOf(response)).toMatchObject({ cell: "cell-b", epoch: 3 });
    expect(tookMs).toBeLessThan(2_000);
  });

  test("throwing, in an isolate that never saw the vehicle: the last-known-good of another isolate answers", async () => {
    const shelf = createMemoryShelf();
    const { router: first, vin } = await routerWithVehicle({ shelf });
    await first.ask(vin);
    const second = await createTestRouter({ shelf });
    second.kv.state.isBroken = true;
    second.control.state.mode = "down";
    expect(await answerOf(await second.ask(vin))).toMatchObject({ cell: "cell-a", epoch: 4, topologyVersion: 7 });
  });

  test("a record that vanished from KV is confirmed by control; while control is away it still serves", async () => {
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    for (const key of router.kv.values.keys()) if (key.startsWith("r/")) router.kv.values.delete(key);
    router.control.state.mode = "down";
    await router.clock.advance(40_000);
    await router.ask(vin);
    await router.clock.advance(1_000);
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-a", epoch: 4, reason: "stale" });
    router.control.state.mode = "not_enrolled";
    await router.clock.advance(10_000);
    expect((await router.ask(vin)).status).toBe(403);
  });
});
