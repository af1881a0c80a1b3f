import { describe, expect, test } from "vitest";
import { RouteAnswer } from "#schema/api/route.ts";
import { createKeyRing, publicJwkOf } from "#schema/crypto/keys.ts";
import { verifyTicket } from "#schema/crypto/ticket-token.ts";
import { createTestRouter } from "./support/router.ts";
import { cellId, cellOf, freshVin, KEYS, oldRouteKey, POP, recordText, topologyOf, vinKeyOf } from "./support/world.ts";

const problemOf = async (response: Response) => (await response.json()) as { code: string; detail: string; retryable: boolean };
const answerOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return RouteAnswer.parse(await response.json());
};

const routerWith = async (cell: string, epoch: number, options: Parameters<typeof createTestRouter>[0] = {}) => {
  const router = await createTestRouter(options);
  const vin = freshVin();
  await router.assign(vin, cell, epoch);
  return { router, vin };
};

describe("GET /v1/route", () => {
  test("a known vehicle gets its cell, complete, and a ticket that the cell verifies offline", async () => {
    const { router, vin } = await routerWith("cell-a", 4);
    const response = await router.ask(vin);
    expect(response.headers.get("Cache-Control")).toBe("private, max-age=300");
    const answer = await answerOf(response);
    expect(answer).toMatchObject({
      cell: "cell-a",
      epoch: 4,
      reason: "assigned",
      ttlSeconds: 300,
      topologyVersion: 7,
      standby: { cell: "cell-b", endpoints: { https: "https://cell-b.cells.example" } },
      allowedHosts: ["cells.example"],
    });
    expect(answer.commandKeys.keys.map(({ kid }) => kid)).toEqual(["key-of-cell-a", "key-of-cell-b"]);
    const ring = createKeyRing([publicJwkOf(KEYS.pop)]);
    const verdict = await verifyTicket(answer.ticket, { keysOfPop: () => ring, pop: POP, nowMs: router.clock.now() });
    expect(verdict).toMatchObject({
      kind: "verified",
      isExpired: false,
      ticket: { sub: vin, aud: ["cell-a", "cell-b"], cell: "cell-a", epoch: 4, reason: "assigned", vinKey: await vinKeyOf(vin) },
    });
    expect(router.control.state.asked).toEqual([]);
  });

  test("I6: a failover in the topology alone sends the vehicle to the standby, under a ticket that names the owner", async () => {
    const { router, vin } = await routerWith("cell-a", 4, {
      topology: topologyOf({ failovers: [{ cell: cellId("cell-a"), standby: cellId("cell-b"), term: 1 }] }),
    });
    const answer = await answerOf(await router.ask(vin));
    expect(answer).toMatchObject({ cell: "cell-b", epoch: 4, reason: "failover", standby: null, ttlSeconds: 60 });
    const ring = createKeyRing([publicJwkOf(KEYS.pop)]);
    const verdict = await verifyTicket(answer.ticket, { keysOfPop: () => ring, pop: POP, nowMs: router.clock.now() });
    expect(verdict).toMatchObject({ ticket: { cell: "cell-a", aud: ["cell-a", "cell-b"], reason: "failover" } });
  });

  test("an owner that is down without a fit standby is still answered, for 30 s", async () => {
    const { router, vin } = await routerWith("cell-c", 1, {
      topology: topologyOf({ cells: { "cell-c": cellOf("cell-c", { health: "down" }) } }),
    });
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-c", ttlSeconds: 30, reason: "assigned" });
  });

  test("a vehicle without a record is placed by control, and from then on known here although KV still misses it", async () => {
    const router = await createTestRouter();
    const vin = freshVin();
    await router.place(vin, "cell-b", 1);
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-b", epoch: 1, reason: "placed" });
    await router.clock.advance(100_000);
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-b", epoch: 1, reason: "assigned" });
    expect(router.control.state.asked).toHaveLength(1);
  });

  test("control's reasons for refusing a placement reach the vehicle as they are", async () => {
    for (const [mode, status] of [
      ["no_capacity", 503],
      ["no_cell_in_zone", 503],
      ["not_enrolled", 403],
    ] as const) {
      const router = await createTestRouter();
      router.control.state.mode = mode;
      const response = await router.ask(freshVin());
      expect(response.status).toBe(status);
      expect(response.headers.get("Retry-After")).toBe(status === 503 ? "6" : null);
      expect(response.headers.get("Strict-Transport-Security")).toMatch(/^max-age=/);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
      expect((await problemOf(response)).code).toBe(mode);
    }
  });

  test("an unknown vehicle while control is away is told to come back", async () => {
    const router = await createTestRouter();
    router.control.state.mode = "down";
    const response = await router.ask(freshVin());
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await problemOf(response)).toMatchObject({ code: "placement_unavailable", retryable: true });
  });

  test("an edge that never saw anything and reaches nothing is cold; a known vehicle is never told so", async () => {
    const cold = await createTestRouter({ topology: null });
    cold.control.state.mode = "down";
    const response = await cold.ask(freshVin());
    expect(response.status).toBe(503);
    expect((await problemOf(response)).code).toBe("edge_cold");
  });

  test("a topology missing in KV is read from control", async () => {
    const { router, vin } = await routerWith("cell-a", 4, { topology: null });
    router.control.state.topology = JSON.stringify(topologyOf({ version: 9 }));
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-a", topologyVersion: 9 });
  });

  test("pepper rotation: a record under the previous pepper is found without asking control", async () => {
    const router = await createTestRouter();
    const vin = freshVin();
    router.kv.values.set(await oldRouteKey(vin), recordText("cell-c", 2));
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-c", epoch: 2 });
    expect(router.control.state.asked).toEqual([]);
  });

  test.each(["not json", '{"v":2,"c":"cell-a","e":4}', '{"v":1,"c":"cell-a","e":0}', "null"])(
    "a KV value that is no record of version 1 counts as a miss: %s",
    async (text) => {
      const { router, vin } = await routerWith("cell-a", 4);
      const [key] = [...router.kv.values.keys()].filter((name) => name.startsWith("r/"));
      router.kv.values.set(key ?? "", text);
      await router.place(vin, "cell-b", 5, "assigned");
      expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-b", epoch: 5, reason: "assigned" });
    },
  );

  test("a record that names a drained or unknown cell: topology past the cache, then control", async () => {
    const { router, vin } = await routerWith("cell-gone", 4);
    router.control.state.topology = JSON.stringify(topologyOf({ version: 8 }));
    await router.place(vin, "cell-c", 5, "assigned");
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-c", epoch: 5 });
    expect(router.control.state.asked.map(({ url }) => new URL(url).pathname)).toEqual(["/v1/topology", "/v1/placements"]);
  });

  test("a cell that only control's topology knows yet is served from it", async () => {
    const { router, vin } = await routerWith("cell-new", 4);
    const cells = { ...topologyOf().cells, "cell-new": cellOf("cell-new") };
    router.control.state.topology = JSON.stringify(topologyOf({ version: 8, cells }));
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-new", topologyVersion: 8 });
  });

  test("I4: a record that names a drained cell while control is away is answered with the copy, marked stale", async () => {
    const { router, vin } = await routerWith("cell-c", 4, {
      topology: topologyOf({ cells: { ...topologyOf().cells, "cell-c": cellOf("cell-c", { state: "drained" }) } }),
    });
    router.control.state.mode = "down";
    expect(await answerOf(await router.ask(vin))).toMatchObject({ cell: "cell-c", epoch: 4, reason: "stale", ttlSeconds: 30 });
  });
});

describe("GET /v1/connect", () => {
  test("redirects to the cell with the ticket beside it, by 307 only and never stored", async () => {
    const { router, vin } = await routerWith("cell-a", 4);
    const response = await router.ask(vin, "/v1/connect?next=https://evil.example");
    expect(response.status).toBe(307);
    expect(response.headers.get("Location")).toBe("https://cell-a.cells.example");
    expect(response.headers.get("Cloverleaf-Epoch")).toBe("4");
    expect(response.headers.get("Cloverleaf-Ticket")).toMatch(/^ey/);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });
});

describe("operations", () => {
  test("healthz answers whatever is down; readyz only with a topology", async () => {
    const router = await createTestRouter({ topology: null });
    router.control.state.mode = "down";
    router.kv.state.isBroken = true;
    expect((await router.app.request("/healthz")).status).toBe(200);
    expect((await router.app.request("/readyz")).status).toBe(503);
    router.kv.state.isBroken = false;
    router.publish(topologyOf());
    expect(await (await router.app.request("/readyz")).json()).toMatchObject({ status: "ready", topologyVersion: 7 });
  });

  test("an unknown path is a problem, and nothing of the request comes back", async () => {
    const router = await createTestRouter();
    const response = await router.app.request("/v1/nothing/<script>");
    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.text()).not.toContain("script");
  });
});
