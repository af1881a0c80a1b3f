import { describe, expect, test } from "vitest";
import type { Point } from "../../router-worker/points.ts";
import { createTestRouter } from "./support/router.ts";
import { freshVin, vinKeyOf } from "./support/world.ts";

describe("points for Analytics Engine", () => {
  test("every ten seconds, as differences, so that the sum of all points is the count; never a VIN or vinKey", async () => {
    const points: Point[] = [];
    const router = await createTestRouter({ writePoint: (point) => points.push(point) });
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    for (let second = 0; second < 25; second++) {
      await router.ask(vin);
      await router.clock.advance(1_000);
    }
    const served = points.filter(({ blobs }) => blobs.join(" ") === "cloverleaf_router_requests_total served assigned");
    expect(served.map(({ doubles }) => doubles)).toEqual([[1], [10], [10]]);
    expect(new Set(points.map(({ indexes }) => indexes.join()))).toEqual(new Set(["pop-1"]));
    expect(JSON.stringify(points)).not.toContain(vin);
    expect(JSON.stringify(points)).not.toContain(await vinKeyOf(vin));
  });
});
