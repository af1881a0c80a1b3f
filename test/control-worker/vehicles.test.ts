import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Control, call, createControl } from "./support/control.ts";
import { addCell, createMember, vinOf } from "./support/fleet.ts";

let control: Control;

beforeEach(async () => {
  control = await createControl();
  await addCell(control, await createMember("cell-a"));
  await addCell(control, await createMember("cell-b"), { hardLimit: 2 });
  await addCell(control, await createMember("cell-cn"), { zone: "cn" });
  await addCell(control, await createMember("cell-eu"), { zone: "eu" });
});

afterEach(() => control.close());

const register = async (n: number, cell: string, zone: string | null = null) => {
  await control.database.sql(
    "insert into vehicles (vin, vin_key, market, zone, updated_at) values (?, 'kkkkkkkkkkkkkkkkkkkkkk', 'eu', ?, 1)",
    vinOf(n),
    zone,
  );
  await control.database.sql(
    "insert into assignments values (?, 'kkkkkkkkkkkkkkkkkkkkkk', ?, (select epoch_floor + 1 from meta), 'bulk', 1)",
    vinOf(n),
    cell,
  );
};
const patch = (n: number, body: unknown, headers: Record<string, string> = {}) =>
  call(control.app, "PATCH", `/v1/vehicles/${vinOf(n)}`, { body, headers });
const codeOf = ({ status, json }: { status: number; json: Record<string, unknown> }) => [status, json["code"]];

describe("PATCH /v1/vehicles/{vin}", () => {
  test("I2, I3: another cell re-assigns at the next epoch and tells the edge and both cells, once", async () => {
    await register(1, "cell-a");
    const moved = await patch(1, { cell: "cell-b" });
    expect([moved.status, moved.json["cell"], moved.json["epoch"], moved.json["version"]]).toEqual([200, "cell-b", 2, 2]);
    expect(await control.database.sql("select cell, owner, epoch from cell_changes where epoch = 2 order by cell")).toEqual([
      { cell: "cell-a", owner: "cell-b", epoch: 2 },
      { cell: "cell-b", owner: "cell-b", epoch: 2 },
    ]);
    expect(await control.database.sql("select lane from outbox where kind = 'route' order by seq")).toEqual([
      { lane: "bulk" },
      { lane: "single" },
    ]);
    expect((await patch(1, { cell: "cell-b" })).json["epoch"]).toBe(2);
    expect(await control.database.sql("select id, assigned from cells where assigned > 0")).toEqual([{ id: "cell-b", assigned: 1 }]);
  });

  test("attributes change without a new epoch", async () => {
    await register(1, "cell-a");
    expect((await patch(1, { model: "x", tier: "vip" })).json).toMatchObject({ model: "x", tier: "vip", epoch: 1, version: 2, zone: null });
    expect((await patch(1, { model: null })).json).toMatchObject({ model: null, tier: "vip" });
  });

  test("I12: a cell outside the zone is refused, and so is a zone outside which the cell lies", async () => {
    await register(1, "cell-cn", "cn");
    await register(2, "cell-a");
    expect(codeOf(await patch(1, { cell: "cell-eu" }))).toEqual([422, "zone_mismatch"]);
    expect(codeOf(await patch(1, { zone: "eu" }))).toEqual([422, "zone_mismatch"]);
    expect(codeOf(await patch(2, { zone: "eu" }))).toEqual([422, "zone_mismatch"]);
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).json).toMatchObject({
      cell: "cell-cn",
      zone: "cn",
      epoch: 1,
      version: 1,
    });
  });

  test("I12: zone and cell change together, in one transaction", async () => {
    await register(1, "cell-cn", "cn");
    expect((await patch(1, { cell: "cell-eu", zone: "eu", model: "x" })).json).toMatchObject({
      cell: "cell-eu",
      zone: "eu",
      model: "x",
      epoch: 2,
      version: 2,
    });
  });

  test("I1: a full cell refuses with no_capacity, also when ten calls race for its last place", async () => {
    for (let n = 0; n < 10; n++) await register(n, "cell-a");
    await register(99, "cell-b");
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => patch(n, { cell: "cell-b", model: "raced" })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ json }) => json["code"]))).toEqual(new Set(["no_capacity"]));
    expect(codeOf(await patch(99, { cell: "cell-b" }))[0]).toBe(200);
    expect(await control.database.sql("select assigned from cells where id = 'cell-b'")).toEqual([{ assigned: 2 }]);
    expect(await control.database.sql("select count(*) as n from vehicles where model = 'raced'")).toEqual([{ n: 1 }]);
  });

  test("a closed or unknown cell, and a vehicle without a cell, are refused", async () => {
    await register(1, "cell-a");
    await control.database.sql("insert into vehicles (vin, vin_key, market, updated_at) values (?, 'k', 'eu', 1)", vinOf(2));
    await control.database.sql("update cells set state = 'draining' where id = 'cell-b'");
    expect(codeOf(await patch(1, { cell: "cell-b" }))).toEqual([409, "conflict"]);
    expect(codeOf(await patch(1, { cell: "cell-z" }))).toEqual([404, "not_found"]);
    expect(codeOf(await patch(2, { cell: "cell-a" }))).toEqual([409, "conflict"]);
    expect(codeOf(await patch(1, { colour: "red" }))).toEqual([422, "validation_failed"]);
  });

  test("If-Match: the ETag of the last read is taken, a stale one answers 412 and changes nothing", async () => {
    await register(1, "cell-a");
    const etag = String((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).headers.get("ETag"));
    expect(etag).toBe('"1"');
    const changed = await patch(1, { model: "a" }, { "If-Match": etag });
    expect([changed.status, changed.headers.get("ETag")]).toEqual([200, '"2"']);
    expect(codeOf(await patch(1, { model: "b" }, { "If-Match": etag }))).toEqual([412, "precondition_failed"]);
    expect((await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`)).json["model"]).toBe("a");
  });

  test("I2: through any sequence of re-assignments, erasures and new placements a VIN's epochs only rise", {
    timeout: 30_000,
  }, async () => {
    await register(1, "cell-a");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("patch" as const), cell: fc.constantFrom("cell-a", "cell-b", "cell-cn", "cell-eu") }),
      fc.record({ kind: fc.constant("erase" as const) }),
      fc.record({ kind: fc.constant("restore" as const), by: fc.integer({ min: 1, max: 1000 }) }),
    );
    let last = 1;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        for (const action of steps) {
          if (action.kind === "patch") await patch(1, { cell: action.cell });
          if (action.kind === "restore") await control.database.sql("update meta set epoch_floor = epoch_floor + ?", action.by);
          if (action.kind === "erase") {
            await control.database.sql("delete from assignments where vin = ?", vinOf(1));
            const body = JSON.stringify({ vin: vinOf(1) });
            await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "application/x-ndjson" } });
          }
        }
        const epochs = await control.database.sql(
          "select seq, owner, epoch from cell_changes where owner is not null and cell = owner order by seq",
        );
        const rising = epochs.map(({ epoch }) => Number(epoch));
        expect(rising).toEqual([...new Set(rising)].sort((a, b) => a - b));
        expect(rising.at(-1)).toBeGreaterThanOrEqual(last);
        last = rising.at(-1) ?? last;
      }),
      { numRuns: 15 },
    );
    expect(last).toBeGreaterThan(1);
  });
});

describe("GET /v1/vehicles", () => {
  test("pages through all vehicles, or one cell's, each once and in order", async () => {
    for (let n = 0; n < 7; n++) await register(n, n % 2 === 0 ? "cell-a" : "cell-cn");
    const collect = async (filter: string) => {
      const vins: unknown[] = [];
      let cursor: unknown = null;
      do {
        const answer = await call(control.app, "GET", `/v1/vehicles?limit=2${filter}${cursor === null ? "" : `&cursor=${cursor}`}`);
        const items = answer.json["items"] as { vin: string }[];
        expect(items.length).toBeLessThanOrEqual(2);
        vins.push(...items.map(({ vin }) => vin));
        cursor = answer.json["cursor"];
      } while (cursor !== null);
      return vins;
    };
    expect(await collect("")).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => vinOf(n)));
    expect(await collect("&cell=cell-a")).toEqual([0, 2, 4, 6].map((n) => vinOf(n)));
    expect(codeOf(await call(control.app, "GET", "/v1/vehicles?limit=0"))).toEqual([422, "validation_failed"]);
    expect(codeOf(await call(control.app, "GET", "/v1/vehicles?cursor=%00"))).toEqual([400, "bad_request"]);
  });
});
