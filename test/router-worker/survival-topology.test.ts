import { describe, expect, test } from "vitest";
import { generateSigningJwk, publicJwkOf } from "#schema/crypto/keys.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { answerOf, routerWithVehicle } from "./support/asking.ts";
import { createMemoryShelf, type TestRouter } from "./support/router.ts";
import { cellOf, DEVICE_ISSUER, deviceToken, topologyOf } from "./support/world.ts";

describe("I13: the topology", () => {
  const { cells } = topologyOf();
  const five = { ...cells, "cell-d": cellOf("cell-d"), "cell-e": cellOf("cell-e") };
  const { "cell-d": _, "cell-e": __, ...three } = five;

  const afterwards = async (router: TestRouter, vin: Vin, seconds = 6) => {
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
    const { router, vin } = await routerWithVehicle({ topology: topologyOf({ cells: five }) });
    await router.ask(vin);
    router.publish(topologyOf({ version: 8, cells: three }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(7);
    expect(await refusals(router)).toEqual(["too_many_cells_lost"]);
    router.publish(topologyOf({ version: 9, cells: three, force: true }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(9);
  });

  test("a forced version that this edge missed is taken with the one that follows it", async () => {
    const { router, vin } = await routerWithVehicle({ topology: topologyOf({ cells: five }) });
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
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    router.kv.values.set("topology", text);
    expect((await afterwards(router, vin)).topologyVersion).toBe(7);
    expect(await refusals(router)).toEqual([reason]);
  });

  test("gone from KV: the known one stays", async () => {
    const { router, vin } = await routerWithVehicle();
    await router.ask(vin);
    router.kv.values.delete("topology");
    expect((await afterwards(router, vin, 3_600)).topologyVersion).toBe(7);
  });

  test("a mass loss is refused even by an isolate that has just started, if another isolate left what it knew", async () => {
    const shelf = createMemoryShelf();
    const first = await routerWithVehicle({ shelf, topology: topologyOf({ cells: five }) });
    await first.router.ask(first.vin);
    const second = await routerWithVehicle({ shelf, topology: topologyOf({ version: 8, cells: three }) });
    expect(await answerOf(await second.router.ask(second.vin))).toMatchObject({ topologyVersion: 7 });
  });

  test("a canary reaches the POPs that it names, and its withdrawal takes them back", async () => {
    const { router, vin } = await routerWithVehicle();
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
    const { router, vin } = await routerWithVehicle({ shelf });
    router.kv.values.set("topology-canary", JSON.stringify({ pops: ["pop-1"], topology: topologyOf({ version: 8 }) }));
    expect((await answerOf(await router.ask(vin))).topologyVersion).toBe(8);
    expect(shelf.values.has("topology")).toBe(false);
    router.publish(topologyOf({ version: 9 }));
    expect((await afterwards(router, vin)).topologyVersion).toBe(9);
    expect(shelf.values.get("topology")).toContain('"version":9');
  });

  test("key rotation under load: no request is refused while old and new keys overlap", async () => {
    const { router, vin } = await routerWithVehicle();
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
