import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let pop: Member;

const place = async (vin: string, { issuer = DEVICE_ISSUER, at = control } = {}) =>
  call(at.app, "POST", "/v1/placements", { token: await assertionOf(at, pop), body: { vin, issuer } });

beforeEach(async () => {
  pop = await createMember("pop-1");
});

afterEach(() => control.close());

describe("placement", () => {
  test("I1: 200 vehicles race for 100 places: exactly 100 are placed, 100 refused with no_capacity", async () => {
    control = await createControl();
    await addPop(control, pop);
    await addCell(control, await createMember("cell-a"), { hardLimit: 60 });
    await addCell(control, await createMember("cell-b"), { hardLimit: 40 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => place(vinOf(index))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(
      refused.every(({ status, json, headers }) => status === 503 && json["code"] === "no_capacity" && headers.has("Retry-After")),
    ).toBe(true);
    expect(await control.database.sql("select id, assigned, hard_limit from cells order by id")).toEqual([
      { id: "cell-a", assigned: 60, hard_limit: 60 },
      { id: "cell-b", assigned: 40, hard_limit: 40 },
    ]);
    expect(await control.database.sql("select cell, count(*) as n from assignments group by cell order by cell")).toEqual([
      { cell: "cell-a", n: 60 },
      { cell: "cell-b", n: 40 },
    ]);
  });

  test("I1: the same vehicle asked for many times at once is placed once and answered alike", async () => {
    control = await createControl();
    await addPop(control, pop);
    await addCell(control, await createMember("cell-a"), { hardLimit: 1 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => place(vinOf(1))));
    expect(new Set(answers.map(({ status, json }) => `${status} ${json["cell"]} ${json["epoch"]}`))).toEqual(new Set(["200 cell-a 1"]));
    expect((await place(vinOf(1))).json["reason"]).toBe("assigned");
    expect(await control.database.sql("select count(*) as n from outbox where kind = 'route'")).toEqual([{ n: 1 }]);
  });

  test("I12: a vehicle with a zone is never placed outside it, even when only other zones have room", async () => {
    const issuers = JSON.stringify([{ issuer: DEVICE_ISSUER, kind: "device", wmis: [""], keys: [], zone: "eu" }]);
    control = await createControl({ variables: { ISSUERS: issuers } });
    await addPop(control, pop);
    await addCell(control, await createMember("cell-cn"), { zone: "cn" });
    expect((await place(vinOf(1))).json["code"]).toBe("no_cell_in_zone");
    await addCell(control, await createMember("cell-eu"), { zone: "eu", hardLimit: 1 });
    expect((await place(vinOf(1))).json["cell"]).toBe("cell-eu");
    expect((await place(vinOf(2))).json["code"]).toBe("no_capacity");
  });

  test("an unknown vehicle is refused when its issuer's vehicles are not enrolled", async () => {
    const issuers = JSON.stringify([{ issuer: DEVICE_ISSUER, kind: "device", wmis: [""], keys: [], enrol: false }]);
    control = await createControl({ variables: { ISSUERS: issuers } });
    await addPop(control, pop);
    await addCell(control, await createMember("cell-a"));
    const refused = await place(vinOf(1));
    expect([refused.status, refused.json["code"]]).toEqual([403, "not_enrolled"]);
    expect((await place(vinOf(1), { issuer: "https://nobody.test" })).json["code"]).toBe("not_enrolled");
    expect(await control.database.sql("select count(*) as n from vehicles")).toEqual([{ n: 0 }]);
  });

  test("a draining cell, and one whose endpoints the edge does not know yet, get nobody", async () => {
    control = await createControl({ variables: { PLACEABLE_AFTER_SECONDS: "90" } });
    await addPop(control, pop);
    await addCell(control, await createMember("cell-a"), { state: "draining" });
    await addCell(control, await createMember("cell-b"));
    await control.database.sql("update cells set endpoints_published_at = ? where id = 'cell-b'", control.clock.now - 89_000);
    expect((await place(vinOf(1))).json["code"]).toBe("no_capacity");
    control.clock.now += 2_000;
    expect((await place(vinOf(1))).json["cell"]).toBe("cell-b");
  });

  test("a control-worker that is not the writer places nobody, and still tells what is known", async () => {
    control = await createControl();
    await addPop(control, pop);
    await addCell(control, await createMember("cell-a"));
    expect((await place(vinOf(1))).status).toBe(200);
    const standby = await createControl({ database: control.database, holder: "instance-b" });
    const refused = await place(vinOf(2), { at: standby });
    expect([refused.status, refused.json["code"], refused.headers.has("Retry-After")]).toEqual([503, "not_the_writer", true]);
    expect((await place(vinOf(1), { at: standby })).json).toMatchObject({ cell: "cell-a", reason: "assigned" });
    standby.close();
  });
});

describe("guards in the database itself", () => {
  beforeEach(async () => {
    control = await createControl();
    await addCell(control, await createMember("cell-eu"), { zone: "eu", hardLimit: 1 });
    await addCell(control, await createMember("cell-cn"), { zone: "cn", hardLimit: 5 });
    for (const [index, zone] of ["eu", "eu", null].entries()) {
      await control.database.sql(
        "insert into vehicles (vin, vin_key, market, zone, updated_at) values (?, ?, 'eu', ?, 1)",
        vinOf(index),
        `key${index}`,
        zone,
      );
    }
  });

  const assign = (vin: string, cell: string, epoch = 1) =>
    control.database.sql("insert into assignments values (?, 'key', ?, ?, 'single', 1) returning vin", vin, cell, epoch);

  test("I1, I12: whoever writes it, no row goes to a full, closed, unknown or foreign cell", async () => {
    expect(await assign(vinOf(0), "cell-cn")).toEqual([]);
    expect(await assign(vinOf(0), "cell-none")).toEqual([]);
    expect(await assign("WVWZZZ1JZXW999999", "cell-eu")).toEqual([]);
    expect(await assign(vinOf(0), "cell-eu")).toHaveLength(1);
    expect(await assign(vinOf(1), "cell-eu")).toEqual([]);
    await control.database.sql("update cells set state = 'draining' where id = 'cell-cn'");
    expect(await assign(vinOf(2), "cell-cn")).toEqual([]);
    expect(await control.database.sql("select sum(assigned) as n from cells")).toEqual([{ n: 1 }]);
  });

  test("I2: an epoch that does not rise is an error, and erasing raises the floor under all later ones", async () => {
    await assign(vinOf(2), "cell-cn", 4);
    await expect(control.database.sql("update assignments set epoch = 4")).rejects.toThrow("epoch must rise");
    await expect(control.database.sql("update assignments set cell = 'cell-eu', epoch = 3")).rejects.toThrow("epoch must rise");
    await control.database.sql("delete from assignments");
    expect(await control.database.sql("select epoch_floor from meta")).toEqual([{ epoch_floor: 4 }]);
    await expect(assign(vinOf(2), "cell-cn", 4)).rejects.toThrow("above the floor");
    await expect(control.database.sql("update meta set epoch_floor = 3")).rejects.toThrow("only rises");
  });

  test("I12: the zone of an assigned vehicle cannot be changed away from its cell's", async () => {
    await assign(vinOf(2), "cell-cn");
    await control.database.sql("update vehicles set zone = 'eu' where vin = ?", vinOf(2));
    expect(await control.database.sql("select zone from vehicles where vin = ?", vinOf(2))).toEqual([{ zone: null }]);
  });
});
