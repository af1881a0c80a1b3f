import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SyncAnswer } from "#schema/api/sync.ts";
import { type Answer, type Control, call, createControl } from "./support/control.ts";
import { addCell, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let cell: Member;
let other: Member;

beforeEach(async () => {
  control = await createControl();
  cell = await createMember("cell-a");
  other = await createMember("cell-b");
  await addCell(control, cell);
  await addCell(control, other);
  await control.database.sql("update cells set weight = 0 where id = 'cell-b'");
  const body = [1, 2].map((n) => JSON.stringify({ vin: vinOf(n) })).join("\n");
  await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "application/x-ndjson" } });
});
afterEach(() => control.close());

type Page = NonNullable<SyncAnswer["grants"]>;
const sync = async (grantsCursor: string | null | undefined, at = cell): Promise<Page | undefined> => {
  const answer = await call(control.app, "POST", `/v1/cells/${at.id}/sync`, {
    token: await assertionOf(control, at),
    body: { observed: { incarnation: 1, release: "1", health: "ok" }, cursor: null, grantsCursor },
  });
  expect(answer.status).toBe(200);
  return SyncAnswer.parse(answer.json).grants;
};
const rolesIn = (page: Page | undefined) => page?.items.map(({ vin, subject, role }) => [vin, subject, role]);
const put = (n: number, subject: string, role: string) =>
  call(control.app, "PUT", `/v1/vehicles/${vinOf(n)}/grants/${subject}`, { body: { role } });
const revoke = (n: number, subject: string) => call(control.app, "DELETE", `/v1/vehicles/${vinOf(n)}/grants/${subject}`);
const codeOf = ({ status, json }: Answer) => [status, json["code"]];

describe("grants", () => {
  test("are listed, changed and revoked; the same call again changes nothing", async () => {
    expect((await put(1, "ann", "owner")).json).toMatchObject({ vin: vinOf(1), subject: "ann", role: "owner", revokedAt: null });
    await put(1, "ann", "owner");
    await put(1, "bob", "driver");
    expect((await revoke(1, "bob")).json["revokedAt"]).not.toBeNull();
    await revoke(1, "bob");
    const listed = (await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}/grants`)).json["items"] as {
      subject: string;
      revokedAt: string | null;
    }[];
    expect(listed.map(({ subject, revokedAt }) => [subject, revokedAt === null])).toEqual([
      ["ann", true],
      ["bob", false],
    ]);
    expect(await control.database.sql("select count(*) as n from grant_changes")).toEqual([{ n: 3 }]);
    expect(codeOf(await put(9, "ann", "owner"))).toEqual([404, "not_found"]);
    expect(codeOf(await put(1, "ann", "king"))).toEqual([422, "validation_failed"]);
  });

  test("reach the owning cell with its next sync, and so does their end", async () => {
    const start = await sync(null);
    expect(start).toMatchObject({ items: [], isSnapshot: true, hasMore: false });
    await put(1, "ann", "owner");
    const granted = await sync(start?.cursor);
    expect(rolesIn(granted)).toEqual([[vinOf(1), "ann", "owner"]]);
    await revoke(1, "ann");
    const revoked = await sync(granted?.cursor);
    expect([rolesIn(revoked), revoked?.isSnapshot]).toEqual([[[vinOf(1), "ann", null]], false]);
    expect(rolesIn(await sync(revoked?.cursor))).toEqual([]);
    expect(rolesIn(await sync(null, other))).toEqual([]);
  });

  test("a right that only access tokens name can be taken away too", async () => {
    const start = await sync(null);
    await revoke(2, "thief");
    expect(rolesIn(await sync(start?.cursor))).toEqual([[vinOf(2), "thief", null]]);
  });

  test("go with the vehicle: the new cell learns all of them, revocations included", async () => {
    await put(1, "ann", "owner");
    await revoke(1, "bob");
    await put(2, "eve", "fleet");
    const start = await sync(null, other);
    await call(control.app, "PATCH", `/v1/vehicles/${vinOf(1)}`, { body: { cell: "cell-b" } });
    const expected = [
      [vinOf(1), "ann", "owner"],
      [vinOf(1), "bob", null],
    ];
    expect(rolesIn(await sync(start?.cursor, other))).toEqual(expected);
    expect(rolesIn(await sync(null, other))).toEqual(expected);
    expect(rolesIn(await sync(null))).toEqual([[vinOf(2), "eve", "fleet"]]);
  });

  test("many come in pages, and those that change meanwhile behind them", async () => {
    const subjects = JSON.stringify(Array.from({ length: 1_500 }, (_, index) => `s${String(index).padStart(5, "0")}`));
    await control.database.sql(
      "insert into grants (vin, subject, role, updated_at) select ?, value, 'driver', 1 from json_each(?)",
      vinOf(1),
      subjects,
    );
    const first = await sync(null);
    expect([first?.items.length, first?.hasMore]).toEqual([1_000, true]);
    await revoke(1, "s00003");
    const second = await sync(first?.cursor);
    expect([second?.items.length, second?.hasMore, second?.isSnapshot]).toEqual([500, false, true]);
    expect(rolesIn(await sync(second?.cursor))).toEqual([[vinOf(1), "s00003", null]]);
  });

  test("a cell that does not know of grants is not told; another timeline brings a snapshot", async () => {
    await put(1, "ann", "owner");
    expect(await sync(undefined)).toBeUndefined();
    const held = await sync(null);
    await control.database.sql("update meta set timeline = 'another'");
    expect(await sync(held?.cursor)).toMatchObject({ isSnapshot: true, items: [{ subject: "ann" }] });
  });

  test("a revocation is kept until no access token from before it is left", async () => {
    await revoke(1, "ann");
    control.clock.now += 23 * 3_600_000;
    await control.core.tick();
    expect(rolesIn(await sync(null))).toEqual([[vinOf(1), "ann", null]]);
    control.clock.now += 2 * 3_600_000;
    await control.core.tick();
    expect(rolesIn(await sync(null))).toEqual([]);
  });
});
