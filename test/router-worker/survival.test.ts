import { describe, expect, test } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import { generateSigningJwk, publicJwkOf } from "#schema/crypto/keys.ts";
import { createMemoryShelf, createTestRouter, type TestRouter } from "./support/router.ts";
import { cellOf, DEVICE_ISSUER, deviceToken, freshVin, topologyOf } from "./support/world.ts";

const known = async (options: Parameters<typeof createTestRouter>[0] = {}) => {
  const router = await createTestRouter(options);
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  return { router, vin };
};

const answerOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return RouteAnswer.parse(await response.json());
};

const STEP_MS = 50;

/** Asks, and lets the clock run for as long as nothing else happens; answers with the time that passed, within a step. */
const askInTime = async (router: TestRouter, vin: Parameters<TestRouter["ask"]>[0]) => {
  const startedAtMs = router.clock.now();
  let response: Response | undefined;
  const asked = router.ask(vin).then((value) => {
    response = value;
  });
  await router.clock.advance(0);
  while (response === undefined) await router.clock.advance(STEP_MS);
  await asked;
  return { response, tookMs: router.clock.now() - startedAtMs };
};

describe("KV", () => {
  test.each([60, 300])("I2, I5: %i s behind a change of owner: the new owner stays told once control has said so", async (seconds) => {
    const { router, vin } = await known();
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
    const { router, vin } = await known();
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
    const { router, vin } = await known();
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
    const { router } = await known();
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
    const { router: first, vin } = await known({ shelf });
    await first.ask(vin);
    const second = await createTestRouter({ shelf });
    second.kv.state.isBroken = true;
    second.control.state.mode = "down";
    expect(await answerOf(await second.ask(vin))).toMatchObject({ cell: "cell-a", epoch: 4, topologyVersion: 7 });
  });

  test("a record that vanished from KV is confirmed by control; while control is away it still serves", async () => {
    const { router, vin } = await known();
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

describe("I13: the topology", () => {
  const { cells } = topologyOf();
  const five = { ...cells, "cell-d": cellOf("cell-d"), "cell-e": cellOf("cell-e") };
  const { "cell-d": _, "cell-e": __, ...three } = five;

  const afterwards = async (router: TestRouter, vin: Parameters<TestRouter["ask"]>[0], seconds = 6) => {
    await router.clock.advance(seconds * 1_000);
    await router.ask(vin);
    await router.clock.advance(100);
    return answerOf(await router.ask(vin));
  };
  const refusals = async (router: TestRouter) =>
    [...(await (await router.app.request("/metrics")).text()).matchAll(/topology_refusals_total\{reason="(\w+)"\}/g)].map(
      ([, reason]) => reason,
    );

  test("dropping two of five cells is refused and the known one kept, unless it is forced", async () => {
    const { router, vin } = await known({ topology: topologyOf({ cells: five }) });
    await router.ask(vin);
    router.publish(topologyOf({ version: 8, cells: three }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(7);
    expect(await refusals(router)).toEqual(["too_many_cells_lost"]);
    router.publish(topologyOf({ version: 9, cells: three, force: true }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(9);
  });

  test("a forced version that this edge missed is taken with the one that follows it", async () => {
    const { router, vin } = await known({ topology: topologyOf({ cells: five }) });
    await router.ask(vin);
    router.publish(topologyOf({ version: 9, cells: three, forcedVersion: 8 }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(9);
  });

  test.each([
    ["older", JSON.stringify(topologyOf({ version: 6 })), "older"],
    ["of another schema", JSON.stringify({ ...topologyOf({ version: 8 }), v: 2 }), "invalid"],
    ["truncated", JSON.stringify(topologyOf({ version: 8 })).slice(0, 500), "invalid"],
    ["empty", "", "invalid"],
  ])("%s: refused, counted, the known one kept", async (_, text, reason) => {
    const { router, vin } = await known();
    await router.ask(vin);
    router.kv.values.set("topology", text);
    expect((await afterwards(router, vin)).topologyVersion).toBe(7);
    expect(await refusals(router)).toEqual([reason]);
  });

  test("gone from KV: the known one stays", async () => {
    const { router, vin } = await known();
    await router.ask(vin);
    router.kv.values.delete("topology");
    expect((await afterwards(router, vin, 3_600)).topologyVersion).toBe(7);
  });

  test("a mass loss is refused even by an isolate that has just started, if another isolate left what it knew", async () => {
    const shelf = createMemoryShelf();
    const first = await known({ shelf, topology: topologyOf({ cells: five }) });
    await first.router.ask(first.vin);
    const second = await known({ shelf, topology: topologyOf({ version: 8, cells: three }) });
    expect(await answerOf(await second.router.ask(second.vin))).toMatchObject({ topologyVersion: 7 });
  });

  test("a canary reaches the POPs that it names, and its withdrawal takes them back", async () => {
    const { router, vin } = await known();
    await router.ask(vin);
    const canary = (pops: string[]) => JSON.stringify({ pops, topology: topologyOf({ version: 8 }) });
    router.kv.values.set("topology-canary", canary(["pop-2"]));
    expect((await afterwards(router, vin)).topologyVersion).toBe(7);
    router.kv.values.set("topology-canary", canary(["pop-1", "pop-2"]));
    expect((await afterwards(router, vin)).topologyVersion).toBe(8);
    router.kv.values.delete("topology-canary");
    expect((await afterwards(router, vin)).topologyVersion).toBe(7);
  });

  test("a canary is replaced by the version published to all, and never put on the shelf", async () => {
    const shelf = createMemoryShelf();
    const { router, vin } = await known({ shelf });
    router.kv.values.set("topology-canary", JSON.stringify({ pops: ["pop-1"], topology: topologyOf({ version: 8 }) }));
    expect((await answerOf(await router.ask(vin))).topologyVersion).toBe(8);
    expect(shelf.values.has("topology")).toBe(false);
    router.publish(topologyOf({ version: 9 }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(9);
    expect(shelf.values.get("topology")).toContain('"version":9');
  });

  test("key rotation under load: no request is refused while old and new keys overlap", async () => {
    const { router, vin } = await known();
    const next = await generateSigningJwk("device");
    const [device, ...others] = topologyOf().issuers;
    if (device === undefined) throw new Error("the world has issuers");
    const tokens = [await deviceToken(vin, router.clock.now())];
    for (const [version, keys] of [
      [8, [...device.keys, publicJwkOf(next)]],
      [9, [publicJwkOf(next)]],
    ] as const) {
      router.publish(topologyOf({ version, issuers: [{ ...device, issuer: DEVICE_ISSUER, keys }, ...others] }));
      await afterwards(router, vin).catch(() => undefined);
      if (version === 8) tokens.unshift(await deviceToken(vin, router.clock.now(), { key: next }));
      await answerOf(await router.ask(vin, "/v1/route", {}, tokens[0]));
    }
    expect((await router.ask(vin, "/v1/route", {}, tokens[1])).status).toBe(401);
  });
});

describe("control", () => {
  test("hanging: an unknown vehicle is refused within the budget, and after a few at once; known ones never notice", async () => {
    const { router, vin } = await known();
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
    const { router, vin } = await known({ settings: {} });
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
    const { router } = await known();
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
