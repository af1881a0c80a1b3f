import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ERRORS } from "#schema/api/error.ts";
import { migrateDatabase } from "#schema/db/migrate.ts";
import { parseConfig } from "../../control-worker/config.ts";
import { type Control, call, createControl, VARIABLES } from "./support/control.ts";

describe("what everybody may ask", () => {
  let control: Control;
  beforeEach(async () => {
    control = await createControl();
  });
  afterEach(() => control.close());

  test("/readyz says whether this is the writer; /healthz asks nobody", async () => {
    expect((await call(control.app, "GET", "/readyz", { token: null })).json).toEqual({ status: "ready", isWriter: false, term: null });
    await control.core.tick();
    expect((await call(control.app, "GET", "/readyz", { token: null })).json).toEqual({ status: "ready", isWriter: true, term: 1 });
    await control.database.sql("drop table outbox");
    expect((await call(control.app, "GET", "/readyz", { token: null })).status).toBe(503);
    expect((await call(control.app, "GET", "/healthz", { token: null })).json).toEqual({ status: "ok" });
  });

  test("/metrics is Prometheus text with lease, queue and publish lag, and without a VIN", async () => {
    await control.core.tick();
    const { text, headers } = await call(control.app, "GET", "/metrics", { token: null });
    expect(headers.get("Content-Type")).toContain("text/plain");
    expect(text).toMatch(/^cloverleaf_control_is_writer 1$/m);
    expect(text).toMatch(/^cloverleaf_control_publish_lag_seconds [\d.]+$/m);
    expect(text).not.toMatch(/[A-HJ-NPR-Z0-9]{17}/);
  });

  test("the OpenAPI document names every operation with its parameters, bodies, callers and problems", async () => {
    const { json } = await call(control.app, "GET", "/openapi.json", { token: null });
    type Described = {
      parameters: { name: string; in: string }[];
      responses: Record<string, unknown>;
      security: unknown[];
      requestBody?: unknown;
    };
    const paths = json["paths"] as Record<string, Record<string, Described>>;
    const operations = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(json["openapi"]).toBe("3.1.0");
    expect(operations).toEqual(
      expect.arrayContaining([
        "post /v1/join-tokens",
        "post /v1/pops",
        "get /v1/cells",
        "post /v1/cells",
        "get /v1/cells/{id}",
        "patch /v1/cells/{id}",
        "post /v1/cells/{id}/approve",
        "post /v1/cells/{id}/sync",
        "post /v1/campaigns",
        "post /v1/campaigns/plan",
        "get /v1/campaigns/{id}",
        "post /v1/campaigns/{id}/pause",
        "post /v1/campaigns/{id}/resume",
        "post /v1/campaigns/{id}/abort",
        "get /v1/moves",
        "delete /v1/cells/{id}",
        "get /v1/cells/{id}/failover",
        "post /v1/cells/{id}/failover",
        "post /v1/cells/{id}/return",
        "put /v1/cells/{id}/failover-policy",
        "get /v1/alerts",
        "post /v1/alerts/{id}/acknowledge",
        "post /v1/cells/{id}/seize",
        "post /v1/placements",
        "get /v1/topology",
        "get /v1/feed",
        "post /v1/vehicles/import",
        "get /v1/vehicles",
        "get /v1/vehicles/{vin}",
        "patch /v1/vehicles/{vin}",
      ]),
    );
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
        expect(operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name)).toEqual(named);
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["500", "503"]));
        if (method === "patch") expect(operation.requestBody).toBeDefined();
      }
    }
    expect(paths["/v1/placements"]?.["post"]?.security).toEqual([{ pop: [] }]);
    expect(paths["/v1/vehicles/{vin}"]?.["patch"]?.responses).toHaveProperty(String(ERRORS.precondition_failed.status));
  });
});

describe("configuration", () => {
  test("defaults are filled in", () => {
    const { PLACEABLE_AFTER_SECONDS: _, ISSUERS: __, ALLOWED_HOSTS: ___, ...required } = VARIABLES;
    expect(parseConfig(required)).toMatchObject({
      placeableAfterSeconds: 90,
      leaseSeconds: 5,
      issuers: [],
      allowedHosts: [],
      logLevel: "info",
    });
  });

  test.each([
    ["DATABASE_URL", { DATABASE_URL: "" }],
    ["PEPPERS", { PEPPERS: "[]" }],
    ["PEPPERS", { PEPPERS: "{" }],
    ["PEPPERS", { PEPPERS: '[{"id":"p1","secret":"short"}]' }],
    ["ADMIN_TOKEN_SHA256", { ADMIN_TOKEN_SHA256: "clv_plain" }],
    ["ISSUERS", { ISSUERS: '[{"issuer":"x"}]' }],
    ["LEASE_SECONDS", { LEASE_SECONDS: "0" }],
  ])("a wrong %s stops the start and is named", (name, wrong) => {
    expect(() => parseConfig({ ...VARIABLES, ...wrong })).toThrow(name);
  });
});

describe("npm run db:migrate", () => {
  const root = resolve(import.meta.dirname, "../..");
  const run = (...args: string[]) =>
    spawnSync(join(root, "node_modules/.bin/node"), [join(root, "schema/db/migrate.ts"), ...args], { encoding: "utf8", cwd: root });

  test("brings a file to the newest schema, and explains itself when called wrongly", { timeout: 20_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "cloverleaf-migrate-"));
    const url = `file:${join(folder, "control.db")}`;
    expect(run("--url", url)).toMatchObject({ status: 0, stdout: "the control schema is up to date\n" });
    await migrateDatabase({ url, schema: "control" });
    const client = createClient({ url });
    expect((await client.execute("select epoch_floor from meta")).rows).toHaveLength(1);
    client.close();
    rmSync(folder, { recursive: true });
    expect(run("--uri", url)).toMatchObject({ status: 2, stderr: expect.stringContaining("npm run db:migrate") });
  });
});
