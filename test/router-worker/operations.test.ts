import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { createTestRouter } from "./support/router.ts";
import { cellId, freshVin, topologyOf, vinKeyOf } from "./support/world.ts";

describe("I10: no VIN in the open", () => {
  test("logs, metrics, KV keys and every answer but the ticket carry the vinKey or nothing", async () => {
    const router = await createTestRouter();
    const [known, placed, refused] = [freshVin(), freshVin(), freshVin()];
    await router.assign(known, "cell-a", 4);
    await router.place(placed, "cell-b", 1);
    const answers = [];
    for (const vin of [known, placed, refused]) {
      for (const path of ["/v1/route", "/v1/connect", `/v1/vehicles/${freshVin()}/twin`])
        answers.push(await (await router.ask(vin, path)).text());
    }
    router.control.state.mode = "down";
    await router.ask(refused);
    const metrics = await (await router.app.request("/metrics")).text();
    const open = [
      JSON.stringify(router.logs),
      metrics,
      ...router.kv.state.reads,
      ...answers.map((answer) => answer.replace(/"ticket":"[^"]*"/, "")),
    ].join("\n");
    for (const vin of [known, placed, refused]) expect(open).not.toContain(vin);
    expect(JSON.stringify(router.logs)).toContain(await vinKeyOf(placed));
  });
});

describe("logs", () => {
  test("every placement, refusal and failover is logged; of assigned answers one in many", async () => {
    const router = await createTestRouter({
      topology: topologyOf({ failovers: [{ cell: cellId("cell-c"), standby: cellId("cell-b"), term: 1 }] }),
    });
    const [assigned, failedOver, placed] = [freshVin(), freshVin(), freshVin()];
    await router.assign(assigned, "cell-a", 1);
    await router.assign(failedOver, "cell-c", 1);
    await router.place(placed, "cell-b", 1);
    for (const vin of [failedOver, placed, freshVin()]) await router.ask(vin, "/v1/route", { "X-Request-Id": "request-0001" });
    for (let turn = 0; turn < 100; turn++) await router.ask(assigned);
    const told = router.logs.map(({ message, reason, code, requestId }) => [message, reason ?? code, requestId]);
    expect(told.filter(([, reason]) => reason !== "assigned")).toEqual([
      ["routed", "failover", "request-0001"],
      ["routed", "placed", "request-0001"],
      ["refused", "no_capacity", "request-0001"],
    ]);
    expect(told.filter(([, reason]) => reason === "assigned").length).toBeLessThanOrEqual(1);
  });
});

describe("GET /metrics", () => {
  test("is Prometheus text with each family described once, and says that it counts one isolate", async () => {
    const router = await createTestRouter();
    const vin = freshVin();
    await router.assign(vin, "cell-a", 1);
    await router.ask(vin);
    await router.ask(vin);
    const text = await (await router.app.request("/metrics")).text();
    expect(text).toMatch(/^# .*one isolate/);
    expect(text).toContain('cloverleaf_router_requests_total{outcome="served",reason="assigned"} 2');
    expect(text).toContain('cloverleaf_router_lookups_total{level="kv"} 1');
    expect(text).toContain('cloverleaf_router_lookups_total{level="isolate"} 1');
    expect(text).toContain("cloverleaf_router_topology_version 7");
    expect(text).toContain("cloverleaf_router_decision_seconds_count 2");
    const described = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(described).size).toBe(described.length);
    for (const line of text.trim().split("\n"))
      expect(line).toMatch(/^(# .*|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+)$/);
  });
});

describe("GET /openapi.json", () => {
  test("describes every call with the schemas that validate it", async () => {
    const router = await createTestRouter();
    const document = (await (await router.app.request("/openapi.json")).json()) as {
      openapi: string;
      paths: Record<string, unknown>;
      components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
    };
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual([
      "/v1/route",
      "/v1/connect",
      "/v1/route/validate",
      "/v1/vehicles/{vin}/{path}",
      "/v1/explain",
    ]);
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? "");
    for (const name of references) expect(document.components.schemas[name]).toBeDefined();
    expect(Object.keys(document.components.schemas["RouteAnswer"]?.properties ?? {})).toContain("ticket");
  });
});

describe("the edges of HTTP", () => {
  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s on a GET resource: 405 with Allow", async (method) => {
    const router = await createTestRouter();
    const response = await router.app.request("/v1/route", { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET");
  });

  test("a URL over 2,048 characters is refused before anything else is done", async () => {
    const router = await createTestRouter();
    const response = await router.app.request(`/v1/vehicles/${freshVin()}/${"x".repeat(2_048)}`);
    expect(response.status).toBe(400);
    expect(router.kv.state.reads).toEqual([]);
  });

  test("every problem has HSTS, no-store and the request id that was given", async () => {
    const router = await createTestRouter();
    for (const path of ["/v1/route", "/nothing", "/v1/explain", "/v1/vehicles/x/y"]) {
      const response = await router.app.request(path, { headers: { "X-Request-Id": "request-0001" } });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.headers.get("Strict-Transport-Security")).toMatch(/max-age=\d{8}/);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
      expect(response.headers.get("X-Request-Id")).toBe("request-0001");
      expect(await response.json()).toMatchObject({ requestId: "request-0001" });
    }
  });

  test("a request id that could forge a log line is replaced", async () => {
    const router = await createTestRouter();
    const response = await router.app.request("/nothing", { headers: { "X-Request-Id": "a b {}" } });
    expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("wrangler.toml", () => {
  test("I10: neither worker is public under a second name, and invocation logs, which carry URLs, are off", () => {
    const text = readFileSync(resolve(import.meta.dirname, "../../wrangler.toml"), "utf8");
    expect(text).not.toMatch(/workers_dev\s*=\s*true/);
    expect(text).not.toMatch(/invocation_logs\s*=\s*true/);
    for (const env of ["router", "control"]) {
      const section = text.split(`[env.${env}]`)[1]?.split(/^\[env\.\w+\]/m)[0] ?? "";
      expect(section).toMatch(/^workers_dev = false$/m);
      expect(section).toMatch(/invocation_logs = false/);
    }
  });
});
