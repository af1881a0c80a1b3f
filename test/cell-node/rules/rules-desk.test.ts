import { Hono } from "hono";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { AppError } from "#schema/api/error.ts";
import { RuleSet } from "#schema/api/rules.ts";
import { createLogger } from "#schema/http/log.ts";
import { problemOnError } from "#schema/http/problems.ts";
import { ruleRoutes } from "../../../cell-node/rules/routes.ts";
import { createRuleEngine } from "../../../cell-node/rules/rule-engine.ts";
import { registerRuleMetrics } from "../../../cell-node/rules/rule-metrics.ts";
import { createRulesDesk } from "../../../cell-node/rules/rules-desk.ts";
import { createRulesMemory } from "../../../cell-node/rules/rules-file.ts";
import { createRecorder, messageOf, ruleOf } from "./support/rules.ts";

const VIN = "WVWZZZ1JZXW000001";

const createDesk = async (rules: readonly object[] = []) => {
  const logged: string[] = [];
  const logger = createLogger("test", "error", (line) => logged.push(line));
  const store = createRulesMemory(RuleSet.parse({ rules }));
  const engine = createRuleEngine({ ports: createRecorder().ports, logger, maxVehicles: 10 });
  const history = [messageOf({ soc: 5 }), messageOf({ soc: 50 })];
  const desk = await createRulesDesk({ store, engine, logger, historyOf: async (vin) => (vin === VIN ? history : null) });
  const app = new Hono();
  app.onError(problemOnError(logger));
  const authorize = async (c: { req: { header(name: string): string | undefined } }, right: string) => {
    if (c.req.header("Authorization") !== right && c.req.header("Authorization") !== "write") throw new AppError("forbidden", "no");
  };
  app.route("/v1/rules", ruleRoutes({ desk, engine, authorize }));
  const call = (method: string, path = "", body?: unknown, headers: Record<string, string> = {}) =>
    app.request(`/v1/rules${path}`, {
      method,
      headers: { Authorization: "write", ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const etag = async () => (await call("GET")).headers.get("ETag") ?? "";
  return { ...{ store, engine, desk, call, etag, logged } };
};

describe("rules of a cell", () => {
  test("are replaced together, kept, and at work at once", async () => {
    const { call, etag, engine, store } = await createDesk();
    const before = await etag();
    const response = await call("PUT", "", { rules: [ruleOf({})] }, { "If-Match": before });
    expect(response.status).toBe(200);
    expect(response.headers.get("ETag")).not.toBe(before);
    expect((await store.load()).rules).toMatchObject([{ id: "a-rule" }]);
    engine.take(messageOf({}));
    expect(await (await call("GET", "/reports")).json()).toMatchObject({ items: [{ id: "a-rule", counts: { fired: 1 } }] });
  });

  test("a set that does not hold changes nothing, and says where", async () => {
    const { call, etag, engine } = await createDesk([ruleOf({})]);
    const response = await call("PUT", "", { rules: [ruleOf({ filter: "data." })] }, { "If-Match": await etag() });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "validation_failed", errors: [{ pointer: "/rules/0/filter" }] });
    expect(engine.listensTo("telemetry")).toBe(true);
    expect(await (await call("GET")).json()).toMatchObject({ rules: [{ filter: "true" }] });
  });

  test("nobody overwrites what he has not read", async () => {
    const { call, etag } = await createDesk();
    const read = await etag();
    expect((await call("PUT", "", { rules: [] })).status).toBe(428);
    const both = [{ rules: [ruleOf({})] }, { rules: [ruleOf({ id: "another" })] }].map((body) =>
      call("PUT", "", body, { "If-Match": read }),
    );
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 412]);
  });

  test("are for those who may", async () => {
    const { call } = await createDesk();
    const reader = { Authorization: "read" };
    expect((await call("GET", "", undefined, reader)).status).toBe(200);
    expect((await call("PUT", "", { rules: [] }, { ...reader, "If-Match": "x" })).status).toBe(403);
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/reports"],
      ["POST", "/dry-run"],
    ] as const) {
      expect((await call(method, path, undefined, { Authorization: "none" })).status).toBe(403);
    }
  });

  test("what was written into the store by another hand is taken up; what does not hold is not", async () => {
    const { desk, store, engine, logged } = await createDesk();
    await store.save(RuleSet.parse({ rules: [ruleOf({})] }));
    await desk.reload();
    expect(engine.listensTo("telemetry")).toBe(true);
    await store.save(RuleSet.parse({ rules: [ruleOf({ filter: "data." })] }));
    await desk.reload();
    expect(engine.listensTo("telemetry")).toBe(true);
    expect(logged).toHaveLength(1);
  });

  test("a dry run reads stored telemetry and performs nothing", async () => {
    const { call, engine } = await createDesk();
    const rule = ruleOf({ filter: "data.soc < 10.0" });
    const run = (body: unknown) => call("POST", "/dry-run", body);
    expect(await (await run({ rule, vin: VIN })).json()).toMatchObject({
      messages: 2,
      matched: 1,
      fired: [{ actions: [{ kind: "event" }] }],
    });
    expect((await run({ rule, vin: "WVWZZZ1JZXW000002" })).status).toBe(404);
    expect((await run({ rule, vin: "X" })).status).toBe(422);
    expect((await run("{")).status).toBe(400);
    expect(engine.reports()).toEqual([]);
  });

  test("each rule has its own measures, and none carries a VIN", async () => {
    const { engine } = await createDesk([ruleOf({ id: "low", filter: "data.soc < 10.0" })]);
    const registry = new Registry();
    registerRuleMetrics(registry, engine);
    engine.take(messageOf({ soc: 5 }));
    engine.take(messageOf({ soc: 50 }));
    await engine.idle();
    const text = await registry.metrics();
    expect(text).toContain('cloverleaf_cell_rule_messages_total{rule="low",outcome="fired"} 1');
    expect(text).toContain('cloverleaf_cell_rule_messages_total{rule="low",outcome="passed_by"} 1');
    expect(text).toContain('cloverleaf_cell_rule_effects_total{rule="low",outcome="done"} 1');
    expect(text).not.toContain(VIN);
    expect(await registry.metrics()).toBe(text);
  });
});
