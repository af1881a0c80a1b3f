import { afterEach, beforeEach, expect, test } from "vitest";
import { type Answer, type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let cells: Record<"a" | "b" | "standby", Member>;

beforeEach(async () => {
  control = await createControl();
  cells = { a: await createMember("cell-a"), b: await createMember("cell-b"), standby: await createMember("cell-s") };
  await addCell(control, cells.a);
  await addCell(control, cells.b);
  await addCell(control, cells.standby);
  await control.database.sql("update cells set weight = 0 where id <> 'cell-a'");
  await control.database.sql("update cells set standby = 'cell-s' where id = 'cell-b'");
});
afterEach(() => control.close());

const VIN = vinOf(1);
const codeOf = ({ status, json }: Answer) => [status, json["code"]];
const importOne = () =>
  call(control.app, "POST", "/v1/vehicles/import", {
    body: JSON.stringify({ vin: VIN, fleet: "f" }),
    headers: { "Content-Type": "application/x-ndjson" },
  });
const erase = (ifMatch: string | null = "*") =>
  call(control.app, "DELETE", `/v1/vehicles/${VIN}`, ifMatch === null ? {} : { headers: { "If-Match": ifMatch } });
const sync = async (at: Member, cursor: string | null) =>
  call(control.app, "POST", `/v1/cells/${at.id}/sync`, {
    token: await assertionOf(control, at),
    body: { observed: { incarnation: 1, release: "1", health: "ok" }, cursor },
  });
const dump = async (): Promise<string> => {
  const tables = await control.database.sql("select name from sqlite_master where type = 'table'");
  const rows = await Promise.all(tables.map(({ name }) => control.database.sql(`select * from "${name}"`)));
  return JSON.stringify(rows);
};

test("asks for the version it erases: 428 without, 412 with another, 404 for an unknown vehicle", async () => {
  expect(codeOf(await erase())).toEqual([404, "not_found"]);
  await importOne();
  expect(codeOf(await erase(null))).toEqual([428, "precondition_required"]);
  expect(codeOf(await erase('"7"'))).toEqual([412, "precondition_failed"]);
  expect((await erase('"1"')).status).toBe(200);
  expect(codeOf(await erase())).toEqual([404, "not_found"]);
});

test("every cell that ever had it, and the standby, is told; a POP by vinKey only", async () => {
  await importOne();
  await call(control.app, "PATCH", `/v1/vehicles/${VIN}`, { body: { cell: "cell-b" } });
  const start = await Promise.all([cells.a, cells.b, cells.standby].map((at) => sync(at, null)));
  await erase();
  for (const [index, at] of [cells.a, cells.b, cells.standby].entries()) {
    const answer = await sync(at, String(start[index]?.json["cursor"]));
    expect([at.id, answer.json["changes"]]).toMatchObject([at.id, [{ vin: VIN, cell: null, epoch: 2 }]]);
  }
});

test("nothing of it is left in libSQL or KV once the edge and the cells were told", async () => {
  await importOne();
  await call(control.app, "PATCH", `/v1/vehicles/${VIN}`, { body: { cell: "cell-b", model: "m" } });
  await call(control.app, "PUT", `/v1/vehicles/${VIN}/grants/ann`, { body: { role: "owner" } });
  await control.core.publish();
  const held = () => [...control.kv.values.keys()].filter((key) => key.startsWith("r/"));
  expect(held()).toHaveLength(1);
  await erase();
  await control.core.publish();
  expect(held()).toEqual([]);
  control.clock.now += 11 * 60_000;
  await control.core.tick();
  const left = await dump();
  expect(left).not.toContain(VIN);
  expect(left).not.toContain('"ann"');
  expect((await call(control.app, "GET", `/v1/vehicles/${VIN}`)).status).toBe(404);
});

test("a cell that was away while it was erased takes a snapshot", async () => {
  await importOne();
  const cursor = String((await sync(cells.a, null)).json["cursor"]);
  await erase();
  control.clock.now += 11 * 60_000;
  await control.core.tick();
  expect(codeOf(await sync(cells.a, cursor))).toEqual([410, "resnapshot"]);
  expect((await sync(cells.a, null)).json["changes"]).toEqual([]);
});

test("I2: the floor rises to its epoch, so that a vehicle that comes back begins above it; the tombstone stays", async () => {
  await importOne();
  for (const cell of ["cell-b", "cell-a", "cell-b"]) await call(control.app, "PATCH", `/v1/vehicles/${VIN}`, { body: { cell } });
  const tombstone = await erase();
  expect(tombstone.json).toMatchObject({ epoch: 4 });
  const pop = await createMember("pop-1");
  await addPop(control, pop);
  const placed = await call(control.app, "POST", "/v1/placements", {
    token: await assertionOf(control, pop),
    body: { vin: VIN, issuer: DEVICE_ISSUER },
  });
  expect(placed.json["epoch"]).toBe(5);
  expect(await control.database.sql("select vin_key as vinKey, epoch from tombstones")).toEqual([
    { vinKey: tombstone.json["vinKey"], epoch: 4 },
  ]);
});

test("I2: a tombstone that is applied again raises the floor, whatever was restored", async () => {
  await control.database.sql("insert into tombstones values ('kkkkkkkkkkkkkkkkkkkkkk', 41, 1)");
  await importOne();
  expect((await call(control.app, "GET", `/v1/vehicles/${VIN}`)).json["epoch"]).toBe(42);
});

test("a vehicle that is being moved is not erased under its cells' hands", async () => {
  await importOne();
  const { vinKey } = (await call(control.app, "GET", `/v1/vehicles/${VIN}`)).json;
  await control.database.sql(
    `insert into moves (id, campaign, vin, vin_key, source, target, state, step, from_epoch, times, created_at, updated_at)
     values ('m1', 'c1', ?, ?, 'cell-a', 'cell-b', 'copying', 2, 1, '{}', 1, 1)`,
    VIN,
    String(vinKey),
  );
  expect(codeOf(await erase())).toEqual([409, "conflict"]);
});
