import { afterEach, beforeEach, expect, test } from "vitest";
import type * as z from "zod";
import { ApiToken, ApiTokenAnswer, AuditEntry, AuditVerdict } from "#schema/api/access.ts";
import { Cell, JoinTokenAnswer, Pop } from "#schema/api/cells.ts";
import { Problem } from "#schema/api/error.ts";
import { Grant } from "#schema/api/grants.ts";
import { SyncAnswer } from "#schema/api/sync.ts";
import { TopologyDocument } from "#schema/api/topology.ts";
import { ImportReport, PlacementAnswer, pageOf, Tombstone, Vehicle } from "#schema/api/vehicles.ts";
import { type Answer, type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { assertionOf, createMember, makeToken, proving, registrationOf, vinOf } from "./support/fleet.ts";

let control: Control;
afterEach(() => control.close());
beforeEach(async () => {
  control = await createControl();
});

/** Fits the schema, and has no member that the schema does not name. */
const expectFit = (schema: z.ZodType, { status, json, text }: Answer, expected: number): void => {
  expect([status, text]).toEqual([expected, text]);
  expect(schema.parse(json)).toEqual(json);
};

test("every answer of the whole path fits its contract, and says no more", async () => {
  const cell = await createMember("cell-a");
  const pop = await createMember("pop-1");
  control.close();
  control = await createControl({ fetch: proving(cell) });
  const { app } = control;
  expectFit(JoinTokenAnswer, await call(app, "POST", "/v1/join-tokens", { body: { kind: "pop" } }), 201);
  const registration = registrationOf(cell, await makeToken(control));
  expectFit(Cell, await call(app, "POST", "/v1/cells", { token: null, body: registration }), 201);
  const popBody = { joinToken: await makeToken(control, { kind: "pop" }), id: pop.id, publicKey: pop.publicKey };
  expectFit(Pop, await call(app, "POST", "/v1/pops", { token: null, body: popBody }), 201);
  control.clock.now += 2_000;
  await control.core.publish();
  expectFit(TopologyDocument, await call(app, "GET", "/v1/topology"), 200);
  const token = await assertionOf(control, pop);
  const placement = { vin: vinOf(1), issuer: DEVICE_ISSUER };
  expectFit(PlacementAnswer, await call(app, "POST", "/v1/placements", { token, body: placement }), 200);
  expectFit(PlacementAnswer, await call(app, "POST", "/v1/placements", { token, body: placement }), 200);
  const observed = { incarnation: 1, release: "1", health: "ok" };
  const sync = await call(app, "POST", "/v1/cells/cell-a/sync", {
    token: await assertionOf(control, cell),
    body: { observed, cursor: null },
  });
  expect(sync.json).toHaveProperty("view");
  expectFit(SyncAnswer, sync, 200);
  expectFit(Cell, await call(app, "GET", "/v1/cells/cell-a"), 200);
  expectFit(Cell, await call(app, "PATCH", "/v1/cells/cell-a", { body: { tags: ["x"] } }), 200);
  expectFit(pageOf(Cell), await call(app, "GET", "/v1/cells"), 200);
  expectFit(Vehicle, await call(app, "GET", `/v1/vehicles/${vinOf(1)}`), 200);
  expectFit(Vehicle, await call(app, "PATCH", `/v1/vehicles/${vinOf(1)}`, { body: { model: "x" } }), 200);
  expectFit(pageOf(Vehicle), await call(app, "GET", "/v1/vehicles"), 200);
  const named = { "Idempotency-Key": "k", "If-Match": "*" };
  const made = await call(app, "POST", "/v1/api-tokens", { body: { name: "ci", role: "viewer" }, headers: named });
  expectFit(ApiTokenAnswer, made, 201);
  expectFit(pageOf(ApiToken), await call(app, "GET", "/v1/api-tokens"), 200);
  expectFit(ApiToken, await call(app, "DELETE", `/v1/api-tokens/${made.json["id"]}`), 200);
  const grant = `/v1/vehicles/${vinOf(1)}/grants/ann`;
  expectFit(Grant, await call(app, "PUT", grant, { body: { role: "owner" } }), 200);
  expectFit(pageOf(Grant), await call(app, "GET", `/v1/vehicles/${vinOf(1)}/grants`), 200);
  expectFit(Grant, await call(app, "DELETE", grant), 200);
  expectFit(Tombstone, await call(app, "DELETE", `/v1/vehicles/${vinOf(1)}`, { headers: named }), 200);
  expectFit(pageOf(AuditEntry), await call(app, "GET", "/v1/audit"), 200);
  expectFit(AuditVerdict, await call(app, "GET", "/v1/audit/verify"), 200);
  expectFit(Problem, await call(app, "DELETE", `/v1/vehicles/${vinOf(2)}`), 428);
  expectFit(Problem, await call(app, "GET", "/v1/cells/cell-z"), 404);
  expectFit(Problem, await call(app, "POST", "/v1/cells", { token: null, body: {} }), 422);
});

test("every line of an import's answer fits its contract", async () => {
  const headers = { "Content-Type": "application/x-ndjson" };
  const { text } = await call(control.app, "POST", "/v1/vehicles/import", { body: `{"vin":"${vinOf(1)}"}\nbroken\n`, headers });
  const reports = text
    .trim()
    .split("\n")
    .map((line) => ImportReport.parse(JSON.parse(line)));
  expect(reports.map(({ kind }) => kind)).toEqual(["error", "progress", "done"]);
});
