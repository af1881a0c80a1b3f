import { describe, expect, test } from "vitest";
import { createBuckets, rateLimitPolicyOf } from "../../router-worker/limits.ts";
import { DEFAULT_SETTINGS } from "../../router-worker/settings.ts";
import { createTestRouter } from "./support/router.ts";
import { deviceToken, freshVin } from "./support/world.ts";

const LIMIT = { name: "caller", perSecond: 2, burst: 4 };

describe("token buckets", () => {
  test("a burst goes through, then the rate; the wait that is told is enough and not too much", () => {
    const bucket = createBuckets(LIMIT, 10).of("a");
    expect([1, 2, 3, 4].map(() => bucket.take(1, 1_000))).toEqual([0, 0, 0, 0]);
    expect(bucket.take(1, 1_000)).toBe(500);
    expect([bucket.take(1, 1_500), bucket.take(1, 1_500)]).toEqual([0, 500]);
  });

  test("keys do not share, and a clock that jumps back gives nothing away", () => {
    const buckets = createBuckets(LIMIT, 10);
    buckets.of("a").take(4, 20_000);
    expect(buckets.of("b").take(1, 20_000)).toBe(0);
    expect(buckets.of("a").take(1, 10_000)).toBeGreaterThan(0);
  });

  test("are bounded: beyond it the key used longest ago starts full again", () => {
    const buckets = createBuckets(LIMIT, 2);
    buckets.of("a").take(4, 1_000);
    expect(buckets.of("a").take(1, 1_000)).toBeGreaterThan(0);
    for (const key of ["b", "c"]) buckets.of(key).take(1, 1_000);
    expect(buckets.of("a").take(1, 1_000)).toBe(0);
  });

  test("the policy names quota and window", () => {
    expect(rateLimitPolicyOf(LIMIT)).toBe('"caller";q=4;w=2');
  });
});

const limitsOf = (change: Partial<typeof DEFAULT_SETTINGS.limits>) => ({ settings: { limits: { ...DEFAULT_SETTINGS.limits, ...change } } });

describe("limits of the router", () => {
  test("a vehicle beyond its own is told when to come back, and no other is", async () => {
    const router = await createTestRouter(limitsOf({ caller: LIMIT }));
    const [busy, calm] = [freshVin(), freshVin()];
    for (const vin of [busy, calm]) await router.assign(vin, "cell-a", 1);
    for (let turn = 0; turn < 4; turn++) expect((await router.ask(busy)).status).toBe(200);
    const refused = await router.ask(busy);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("Retry-After")).toBe("1");
    expect(refused.headers.get("RateLimit-Policy")).toBe('"caller";q=4;w=2');
    expect(await refused.json()).toMatchObject({ code: "rate_limited", retryable: true });
    expect((await router.ask(calm)).status).toBe(200);
    await router.clock.advance(1_000);
    expect((await router.ask(busy)).status).toBe(200);
  });

  test("an issuer's flood of new credentials is bounded; credentials seen before go on", async () => {
    const router = await createTestRouter(limitsOf({ issuer: { name: "issuer", perSecond: 1, burst: 12 }, unseenCost: 5 }));
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    const token = await deviceToken(vin, router.clock.now());
    const again = async () => (await router.ask(vin, "/v1/route", {}, token)).status;
    expect([await again(), (await router.ask(vin)).status, (await router.ask(vin)).status, await again()]).toEqual([200, 200, 429, 200]);
  });

  test("an address that guesses is stopped before its credentials are verified; a vehicle behind it that was seen before is not", async () => {
    const router = await createTestRouter(limitsOf({ address: { name: "address", perSecond: 1, burst: 15 }, unseenCost: 5 }));
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    const from = { "CF-Connecting-IP": "192.0.2.1" };
    const token = await deviceToken(vin, router.clock.now());
    expect((await router.ask(vin, "/v1/route", from, token)).status).toBe(200);
    const guesses = [];
    for (let turn = 0; turn < 3; turn++) guesses.push((await router.ask(vin, "/v1/route", from, "eyJ.guess")).status);
    expect(guesses).toEqual([401, 401, 429]);
    expect((await router.ask(vin, "/v1/route", from, token)).status).toBe(200);
    expect((await router.ask(vin, "/v1/route", { "CF-Connecting-IP": "192.0.2.2" })).status).toBe(200);
  });

  test("the platform's limit is asked only for new credentials of an address that sent bad ones", async () => {
    const asked: string[] = [];
    const router = await createTestRouter({
      admitAddress: async (address) => {
        asked.push(address);
        return false;
      },
    });
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    const from = { "CF-Connecting-IP": "192.0.2.1" };
    expect((await router.ask(vin, "/v1/route", from)).status).toBe(200);
    expect((await router.ask(vin, "/v1/route", from, "eyJ.guess")).status).toBe(401);
    expect(asked).toEqual([]);
    expect((await router.ask(vin, "/v1/route", from)).status).toBe(429);
    expect(asked).toEqual(["192.0.2.1"]);
    await router.clock.advance(600_001);
    expect((await router.ask(vin, "/v1/route", from)).status).toBe(200);
  });
});
