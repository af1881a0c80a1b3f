import { gzipSync } from "node:zlib";
import { Response } from "miniflare";
import { afterEach, describe, expect, test } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import { bundleRouter } from "./support/bundle.ts";
import { startWorkerd } from "./support/workerd.ts";
import { deviceToken, freshVin, recordText, routeKey, TOPOLOGY_KEY, topologyOf, vinKeyOf } from "./support/world.ts";

type Workerd = Awaited<ReturnType<typeof startWorkerd>>;

let running: Workerd | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A router in workerd whose KV takes `slowMs` for a record. */
const start = async (slowMs: number, isControlHanging = false) => {
  const vin = freshVin();
  const key = await routeKey(vin);
  const reads: string[] = [];
  const asked: unknown[] = [];
  running = await startWorkerd({
    async kv(name) {
      reads.push(name);
      if (name === TOPOLOGY_KEY) return JSON.stringify(topologyOf());
      await sleep(slowMs);
      return name === key ? recordText("cell-a", 4) : null;
    },
    async control(path, body) {
      asked.push({ path, body });
      if (isControlHanging) return new Promise<Response>(() => undefined);
      const { vin: unknown } = body as { vin: typeof vin };
      return Response.json({ vinKey: await vinKeyOf(unknown), cell: "cell-b", epoch: 1, reason: "placed" });
    },
  });
  const { url } = running;
  const ask = async (asker: string, init: RequestInit = {}) =>
    fetch(new URL("/v1/route", url), { ...init, headers: { Authorization: `Bearer ${await deviceToken(asker, Date.now())}` } });
  return { ask, vin, asked, recordReads: () => reads.filter((name) => name === key) };
};

const answerOf = async (response: globalThis.Response) => RouteAnswer.parse(await response.json());

describe("the worker in workerd", () => {
  test("routes a known vehicle from KV and places an unknown one through control", async () => {
    const { ask, vin, asked } = await start(0);
    expect(await answerOf(await ask(vin))).toMatchObject({ cell: "cell-a", epoch: 4, reason: "assigned" });
    expect(asked).toEqual([]);
    const unknown = freshVin();
    expect(await answerOf(await ask(unknown))).toMatchObject({ cell: "cell-b", epoch: 1, reason: "placed" });
    expect(asked).toMatchObject([{ path: "/v1/placements", body: { vin: unknown } }]);
  });

  test("a hundred requests at once for one VIN make one KV read, and all are answered", async () => {
    const { ask, vin, recordReads } = await start(300);
    const responses = await Promise.all(Array.from({ length: 100 }, () => ask(vin)));
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(recordReads()).toHaveLength(1);
  });

  test("a request that began the reading and was cut off does not take those who wait for it along", async () => {
    const { ask, vin, recordReads } = await start(500);
    await ask(freshVin());
    const aborter = new AbortController();
    const leader = ask(vin, { signal: aborter.signal }).catch((error: unknown) => error);
    await sleep(150);
    const follower = ask(vin);
    await sleep(100);
    aborter.abort();
    expect(await leader).toBeInstanceOf(Error);
    expect(await answerOf(await follower)).toMatchObject({ cell: "cell-a", epoch: 4 });
    expect(recordReads()).toHaveLength(1);
  });

  test("an unknown vehicle is refused within the budget while control hangs, and a known one served", async () => {
    const { ask, vin } = await start(0, true);
    const refused = await ask(freshVin());
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "placement_unavailable" });
    expect((await ask(vin)).status).toBe(200);
  });

  test("the bundle stays under 100 KB gzipped", async () => {
    const sizeBytes = gzipSync(await bundleRouter()).byteLength;
    expect(sizeBytes).toBeGreaterThan(10_000);
    expect(sizeBytes).toBeLessThan(100_000);
    console.log(`router bundle: ${(sizeBytes / 1000).toFixed(1)} KB gzipped`);
  });
});
