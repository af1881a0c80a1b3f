import { describe, expect, test } from "vitest";
import type { OwnerRole } from "#schema/domain/command.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { createTestRouter, type TestRouter } from "./support/router.ts";
import { cellOf, deviceToken, freshVin, ownerToken, topologyOf } from "./support/world.ts";

const setup = async () => {
  const router = await createTestRouter();
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  return { router, vin };
};

const asOwner = async (router: TestRouter, rights: readonly { vin: Vin; role: OwnerRole }[], path: string, init: RequestInit = {}) => {
  const token = await ownerToken(rights, router.clock.now());
  return router.app.request(path, { ...init, headers: { Authorization: `Bearer ${token}` } });
};

describe("ANY /v1/vehicles/{vin}/…", () => {
  test.each(["GET", "POST", "PUT", "PATCH", "DELETE"])("%s: 307 to the same path and query at the vehicle's cell", async (method) => {
    const { router, vin } = await setup();
    const response = await asOwner(router, [{ vin, role: "driver" }], `/v1/vehicles/${vin}/commands/a%2Fb?wait=5&x=%0d%0a`, { method });
    expect(response.status).toBe(307);
    expect(response.headers.get("Location")).toBe(`https://cell-a.cells.example/v1/vehicles/${vin}/commands/a%2Fb?wait=5&x=%0d%0a`);
    expect(response.headers.get("Cloverleaf-Epoch")).toBe("4");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });

  test("I8: a foreign VIN, an unknown VIN, a malformed VIN and a right to an unknown vehicle get the very same answer; without a right nothing is looked up", async () => {
    const { router, vin } = await setup();
    const [mine, unknown] = [freshVin(), freshVin()];
    const attempts = [
      [mine, vin],
      [mine, unknown],
      [mine, "WVWZZZ0ZZTE00000"],
      [mine, "IOQ"],
      [mine, mine],
    ] as const;
    const answers = [];
    for (const [right, asked] of attempts) {
      const reads = router.kv.state.reads.length;
      const response = await asOwner(router, [{ vin: right, role: "owner" }], `/v1/vehicles/${asked}/twin`);
      if (right !== asked) expect(router.kv.state.reads.slice(reads).filter((key) => key.startsWith("r/"))).toEqual([]);
      const { requestId: _, ...problem } = (await response.json()) as { requestId: string };
      const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
      answers.push(JSON.stringify([response.status, headers, problem]));
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("not_found");
    expect(router.control.state.asked).toEqual([]);
  });

  test("I8: a vehicle reaches its own path and no other's", async () => {
    const { router, vin } = await setup();
    const other = freshVin();
    await router.assign(other, "cell-b", 1);
    expect((await router.ask(vin, `/v1/vehicles/${vin}/twin`)).status).toBe(307);
    expect((await router.ask(vin, `/v1/vehicles/${other}/twin`)).status).toBe(404);
  });

  test.each([
    `//evil.example/v1/vehicles/VIN/twin`,
    `/v1/vehicles/VIN/../../../admin`,
    `/v1/vehicles/VIN/%2e%2e/%2e%2e/%2e%2e/admin`,
    `/v1/vehicles/VIN/..\\..\\admin`,
    `/v1/vehicles/VIN//evil.example/`,
    `/v1/vehicles/VIN/@evil.example:443/`,
  ])("%s: a Location never leaves the vehicle's cell nor the vehicle's path", async (path) => {
    const { router, vin } = await setup();
    const response = await asOwner(router, [{ vin, role: "owner" }], `http://router.example${path.replace("VIN", vin)}`);
    const location = response.headers.get("Location");
    if (location === null) expect(response.status).toBe(404);
    else {
      expect(new URL(location).origin).toBe("https://cell-a.cells.example");
      expect(new URL(location).pathname.startsWith(`/v1/vehicles/${vin}/`)).toBe(true);
    }
  });

  test("an owner's token opens no vehicle's own calls, an expired one nothing", async () => {
    const { router, vin } = await setup();
    expect((await asOwner(router, [{ vin, role: "owner" }], "/v1/route")).status).toBe(401);
    const token = await ownerToken([{ vin, role: "owner" }], router.clock.now());
    await router.clock.advance(15 * 60_000 + 61_000);
    const late = await router.app.request(`/v1/vehicles/${vin}/twin`, { headers: { Authorization: `Bearer ${token}` } });
    expect(late.status).toBe(401);
    expect((await router.app.request(`/v1/vehicles/${vin}/twin`)).status).toBe(401);
  });

  test("during a failover owners are sent to the standby too", async () => {
    const { router, vin } = await setup();
    const { cells } = topologyOf();
    const failovers = [{ cell: "cell-a", standby: "cell-b", term: 1 }] as unknown as ReturnType<typeof topologyOf>["failovers"];
    router.publish(topologyOf({ cells: { ...cells, "cell-a": cellOf("cell-a", { health: "down" }) }, failovers }));
    const response = await asOwner(router, [{ vin, role: "owner" }], `/v1/vehicles/${vin}/twin`);
    expect(response.headers.get("Location")).toBe(`https://cell-b.cells.example/v1/vehicles/${vin}/twin`);
  });

  test("a device's credential is checked as one even on this path", async () => {
    const { router, vin } = await setup();
    const token = await deviceToken(vin, router.clock.now() - 7_200_000);
    const response = await router.app.request(`/v1/vehicles/${vin}/twin`, { headers: { Authorization: `Bearer ${token}` } });
    expect(response.status).toBe(401);
  });

  test("a right to a vehicle that this edge cannot read about is answered with 503, not with a false no", async () => {
    const { router, vin } = await setup();
    const unread = freshVin();
    await router.ask(vin);
    router.kv.state.isBroken = true;
    const first = await asOwner(router, [{ vin: unread, role: "owner" }], `/v1/vehicles/${unread}/twin`);
    expect(first.status).toBe(503);
    expect(first.headers.has("Retry-After")).toBe(true);
  });
});
