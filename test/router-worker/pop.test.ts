import { mkdtemp, rm, truncate } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createVinKeyer, type VinKeyer } from "#schema/crypto/vin-keyer.ts";
import { createLogger } from "#schema/http/log.ts";
import { createApp } from "../../router-worker/app.ts";
import type { PopConfig } from "../../router-worker/pop/config.ts";
import { createPop } from "../../router-worker/pop/pop.ts";
import { createDirectVinKeyer } from "../../router-worker/pop/vin-keyer.ts";
import { type Control, call, createControl } from "../control-worker/support/control.ts";
import { addCell, createMember, makeToken } from "../control-worker/support/fleet.ts";
import { until } from "../e2e/support/until.ts";
import { deviceToken, freshVin, topologyOf } from "./support/world.ts";

const WITHIN_MS = 10_000;
const NOBODY = "http://127.0.0.1:1";
const vin = freshVin();

let control: Control;
let url: string;
let dataDir: string;
let ends: (() => unknown)[];

/** A control-worker on a real database, over HTTP, with one vehicle; whatever a test starts is ended behind it. */
beforeEach(async () => {
  const [device] = topologyOf().issuers;
  control = await createControl({ variables: { ISSUERS: JSON.stringify([device]) } });
  await addCell(control, await createMember("cell-a"));
  await call(control.app, "POST", "/v1/vehicles/import", {
    body: JSON.stringify({ vin }),
    headers: { "Content-Type": "application/x-ndjson" },
  });
  control.clock.now = Date.now();
  await control.core.publish();
  const server = createServer(getRequestListener(control.app.fetch)).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  dataDir = await mkdtemp(join(tmpdir(), "cloverleaf-pop-"));
  ends = [() => rm(dataDir, { recursive: true }), () => control.close(), () => server.closeAllConnections(), () => server.close()];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

const configOf = (change: Partial<PopConfig>): PopConfig => ({
  ...{
    popId: "pop-1",
    peppers: [...control.config.peppers],
    controlUrls: [url],
    joinToken: undefined,
    dataDir,
    host: "127.0.0.1",
    port: 0,
  },
  ...{ feedIntervalMs: 100, saveIntervalMs: 1_000, logLevel: "info", ...change },
});

const startPop = async (change: Partial<PopConfig> = {}) => {
  const logs: string[] = [];
  const pop = await createPop(
    configOf(change),
    createLogger("router-pop", "info", (line) => void logs.push(line)),
  );
  const stopping = new AbortController();
  const running = pop.run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await running;
  };
  ends.push(stop);
  const app = createApp(pop.deps);
  const ready = async () => (await app.request("/readyz")).status;
  const ask = async () => app.request("/v1/route", { headers: { Authorization: `Bearer ${await deviceToken(vin, Date.now())}` } });
  return { app, logs, ready, ask, stop, untilReady: () => until("the POP is ready", WITHIN_MS, async () => (await ready()) === 200) };
};

test("a POP joins with its token, is ready once its copy is whole, and answers from it", async () => {
  const pop = await startPop({ joinToken: await makeToken(control, { kind: "pop" }) });
  expect(await pop.ready()).toBe(503);
  await pop.untilReady();
  const answer = await pop.ask();
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ cell: "cell-a", epoch: 1, reason: "assigned" })]);
  const metrics = await (await pop.app.request("/metrics")).text();
  expect(metrics).toMatch(/^cloverleaf_router_replica_vehicles 1$/m);
  expect(Number(/^cloverleaf_router_replica_staleness_seconds (\S+)$/m.exec(metrics)?.[1])).toBeLessThan(60);
});

test("I4: with control away it starts from its file, is ready and answers", async () => {
  const first = await startPop({ joinToken: await makeToken(control, { kind: "pop" }) });
  await first.untilReady();
  await first.stop();
  const again = await startPop({ controlUrls: [NOBODY] });
  expect(await again.ready()).toBe(200);
  expect(await (await again.ask()).json()).toMatchObject({ cell: "cell-a", epoch: 1 });
  expect(again.logs.join("\n")).toContain("last-known-good loaded");
});

test("I4: a truncated file is refused aloud; the POP starts without it and copies everything anew", async () => {
  const first = await startPop({ joinToken: await makeToken(control, { kind: "pop" }) });
  await first.untilReady();
  await first.stop();
  await truncate(join(dataDir, "replica.gz"), 100);
  const again = await startPop();
  expect(again.logs.join("\n")).toContain("last-known-good refused");
  await again.untilReady();
  expect((await again.ask()).status).toBe(200);
});

test("the next control-worker is asked when the first is away, and a refused token is not tried again", async () => {
  const joinToken = await makeToken(control, { kind: "pop" });
  const first = await startPop({ joinToken, controlUrls: [NOBODY, url] });
  await first.untilReady();
  await first.stop();
  await rm(join(dataDir, "replica.gz"));
  const again = await startPop({ joinToken: await makeToken(control, { kind: "pop" }) });
  await again.untilReady();
  expect(again.logs.filter((line) => line.includes("joining refused"))).toHaveLength(1);
});

test("a POP that control has removed keeps answering from its copy, and hears nothing more", async () => {
  const pop = await startPop({ joinToken: await makeToken(control, { kind: "pop" }) });
  await pop.untilReady();
  await call(control.app, "DELETE", "/v1/pops/pop-1");
  control.clock.now += 6_000;
  await until("the feed refuses it", WITHIN_MS, () => pop.logs.some((line) => line.includes("the feed is away")));
  expect((await pop.ask()).status).toBe(200);
});

test("a POP's vinKeys are those of everybody else", async () => {
  const [{ secret }] = control.config.peppers;
  const vins = Array.from({ length: 100 }, freshVin);
  const keysOf = (vinKeyOf: VinKeyer) => Promise.all(vins.map(vinKeyOf));
  expect(await keysOf(createDirectVinKeyer(secret))).toEqual(await keysOf(createVinKeyer(secret)));
});
