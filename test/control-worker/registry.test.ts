import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, vinOf } from "./support/fleet.ts";

let control: Control;
beforeEach(async () => {
  control = await createControl();
  await addCell(control, await createMember("cell-a"), { hardLimit: 5_000 });
  await addCell(control, await createMember("cell-eu"), { zone: "eu", hardLimit: 5_000 });
});
afterEach(() => control.close());

const importAll = (body: string, type = "application/x-ndjson") =>
  call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": type } });
const importMany = (vehicles: readonly Record<string, unknown>[]) =>
  importAll(vehicles.map((vehicle) => JSON.stringify(vehicle)).join("\n"));
const list = async (query: string): Promise<string[]> =>
  ((await call(control.app, "GET", `/v1/vehicles?${query}`)).json["items"] as { vin: string }[]).map(({ vin }) => vin);
const codeOf = ({ status, json }: Answer) => [status, json["code"]];

describe("GET /v1/vehicles", () => {
  beforeEach(async () => {
    await importMany([
      { vin: vinOf(1), model: "m1", tier: "vip", fleet: "red", tenant: "t1", usageRegion: "eu-west" },
      { vin: vinOf(2), model: "m1", fleet: "blue", zone: "eu" },
      { vin: vinOf(3, "2"), model: "m2", fleet: "red" },
    ]);
  });

  test.each([
    ["model=m1", [1, 2]],
    ["model=m1&fleet=red", [1]],
    ["tier=vip", [1]],
    ["tenant=t1&usageRegion=eu-west", [1]],
    ["zone=eu", [2]],
    ["zone=eu&cell=cell-eu", [2]],
    ["zone=eu&cell=cell-a", []],
    ["market=cn", []],
    ["vinPrefix=WVWZZZ1", [1, 2]],
    ["isPinned=true", []],
    ["isPinned=false&model=m1", [1, 2]],
  ])("?%s answers those vehicles only", async (query, expected) => {
    expect(await list(query)).toEqual(expected.map((n) => vinOf(n)));
  });

  test("filters go over pages", async () => {
    const first = await call(control.app, "GET", "/v1/vehicles?fleet=red&limit=1");
    expect((first.json["items"] as { vin: string }[])[0]?.vin).toBe(vinOf(1));
    expect(await list(`fleet=red&limit=1&cursor=${first.json["cursor"]}`)).toEqual([vinOf(3, "2")]);
  });

  test("a filter that cannot be one is refused", async () => {
    expect(codeOf(await call(control.app, "GET", "/v1/vehicles?vinPrefix=%25"))).toEqual([422, "validation_failed"]);
  });
});

describe("GET /v1/vehicles/export", () => {
  const rows = [
    { vin: vinOf(1), model: 'say "x", twice', tier: "vip", zone: "eu" },
    { vin: vinOf(2), fleet: "blue" },
  ];

  test.each([
    ["ndjson", "application/x-ndjson"],
    ["csv", "text/csv"],
  ])("%s is what the import takes: imported again it changes nothing", async (format, type) => {
    await importMany(rows);
    const exported = await call(control.app, "GET", `/v1/vehicles/export?format=${format}`);
    expect(exported.headers.get("Content-Type")).toContain(type);
    const again = (await importAll(exported.text, type)).text.trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(again)).toMatchObject({ kind: "done", lines: 2, imported: 0, unchanged: 2, failed: 0 });
  });

  test("with the assignment it says cell and epoch; filters hold", async () => {
    await importMany(rows);
    const exported = await call(control.app, "GET", "/v1/vehicles/export?assignment=true&tier=vip");
    expect(
      exported.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([{ vin: vinOf(1), cell: "cell-eu", epoch: 1 }]);
  });

  test("reads a page at a time: a caller that stops reading stops the reading", async () => {
    await importMany(Array.from({ length: 3_500 }, (_, n) => ({ vin: vinOf(n) })));
    const response = await control.app.request("/v1/vehicles/export", { headers: { Authorization: "Bearer clv_test-admin" } });
    const reader = response.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    expect(first.trim().split("\n")).toHaveLength(1_000);
    await reader?.cancel();
    const whole = await call(control.app, "GET", "/v1/vehicles/export");
    expect(new Set(whole.text.trim().split("\n")).size).toBe(3_500);
  });
});

describe("pinned vehicles", () => {
  const patch = (body: unknown) => call(control.app, "PATCH", `/v1/vehicles/${vinOf(1)}`, { body });

  test("stay where they are until they are unpinned", async () => {
    await importMany([{ vin: vinOf(1), zone: "eu" }]);
    await addCell(control, await createMember("cell-eu-2"), { zone: "eu" });
    expect((await patch({ isPinned: true })).json).toMatchObject({ isPinned: true, version: 2 });
    expect(await list("isPinned=true")).toEqual([vinOf(1)]);
    expect(codeOf(await patch({ cell: "cell-eu-2" }))).toEqual([409, "conflict"]);
    expect((await patch({ cell: "cell-eu" })).status).toBe(200);
    expect((await patch({ cell: "cell-eu-2", isPinned: false })).json).toMatchObject({ cell: "cell-eu-2", isPinned: false });
  });

  test("an import leaves the pin alone", async () => {
    await importMany([{ vin: vinOf(1) }]);
    await patch({ isPinned: true });
    await importMany([{ vin: vinOf(1), model: "new" }]);
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).json).toMatchObject({ model: "new", isPinned: true });
  });
});

describe("unknown but authentic vehicles", () => {
  const withPolicy = async (policy: Record<string, unknown>) => {
    control.close();
    const issuers = [
      { issuer: DEVICE_ISSUER, kind: "device", wmis: [""], keys: [], ...policy },
      { issuer: "https://other.test", kind: "device", wmis: [""], keys: [] },
      { issuer: "https://owners.test", kind: "owner", wmis: [""], keys: [] },
    ];
    control = await createControl({ variables: { ISSUERS: JSON.stringify(issuers) } });
    await addCell(control, await createMember("cell-a"));
    await addCell(control, await createMember("cell-eu"), { zone: "eu" });
    const pop = await createMember("pop-1");
    await addPop(control, pop);
    return async (issuer = DEVICE_ISSUER) =>
      call(control.app, "POST", "/v1/placements", { token: await assertionOf(control, pop), body: { vin: vinOf(7), issuer } });
  };

  test("are enrolled in the issuer's zone, or refused, as the policy of that issuer says", async () => {
    const inZone = await withPolicy({ zone: "eu" });
    expect((await inZone()).json).toMatchObject({ cell: "cell-eu", reason: "placed" });
    const refusing = await withPolicy({ enrol: false });
    expect(codeOf(await refusing())).toEqual([403, "not_enrolled"]);
    expect(codeOf(await refusing("https://owners.test"))).toEqual([403, "not_enrolled"]);
    expect(codeOf(await refusing("https://nobody.test"))).toEqual([403, "not_enrolled"]);
    expect(await control.database.sql("select count(*) as n from vehicles")).toEqual([{ n: 0 }]);
    expect((await refusing("https://other.test")).status).toBe(200);
  });

  test("a refusing policy still answers vehicles that are registered", async () => {
    const refusing = await withPolicy({ enrol: false });
    await importMany([{ vin: vinOf(7), zone: "eu" }]);
    expect((await refusing()).json).toMatchObject({ cell: "cell-eu", reason: "assigned" });
  });
});
