import { afterEach, beforeEach, expect, test } from "vitest";
import { EVENT_TYPE_PREFIX, EVENT_TYPES, EventPage } from "#schema/api/events.ts";
import { trimEvents } from "../../control-worker/store/trim.ts";
import { type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let pop: Member;

beforeEach(async () => {
  control = await createControl();
  pop = await createMember("pop-1");
  await addPop(control, pop);
  await addCell(control, await createMember("cell-a"));
  await addCell(control, await createMember("cell-b"));
});
afterEach(() => control.close());

const read = async (query = ""): Promise<EventPage> => {
  const { json } = await call(control.app, "GET", `/v1/events${query}`);
  expect(EventPage.parse(json)).toEqual(json);
  return EventPage.parse(json);
};
const place = async (n: number) =>
  (
    await call(control.app, "POST", "/v1/placements", {
      token: await assertionOf(control, pop),
      body: { vin: vinOf(n), issuer: DEVICE_ISSUER },
    })
  ).json;
const typesIn = ({ items }: EventPage) => items.map(({ type }) => type.slice(EVENT_TYPE_PREFIX.length));

test("every change of a vehicle, a cell and the rules is told once, in its order, by vinKey only", async () => {
  const start = await read();
  const { cell, vinKey } = await place(1);
  const target = cell === "cell-a" ? "cell-b" : "cell-a";
  await call(control.app, "PATCH", `/v1/vehicles/${vinOf(1)}`, { body: { cell: target } });
  await call(control.app, "DELETE", `/v1/vehicles/${vinOf(1)}`, { headers: { "If-Match": "*" } });
  await call(control.app, "PATCH", "/v1/cells/cell-a", { body: { state: "draining" } });
  await call(control.app, "POST", "/v1/rule-sets", { body: { rules: [] } });
  await call(control.app, "POST", "/v1/rule-sets/1/activate");
  const page = await read(`?cursor=${start.cursor}`);
  // The publisher runs beside the calls.
  const told = page.items.filter(({ type }) => !type.endsWith("topology.published"));
  expect(told.map(({ type, subject, data }) => [type.slice(EVENT_TYPE_PREFIX.length), subject, data])).toEqual([
    ["vehicle.placed", vinKey, { cell, epoch: 1 }],
    ["vehicle.moved", vinKey, { from: cell, to: target, epoch: 2 }],
    ["vehicle.erased", vinKey, { cell: target, epoch: 2 }],
    ["cell.state_changed", "cell-a", { before: "active", after: "draining" }],
    ["rule_set.state_changed", "1", { before: "draft", after: "active" }],
  ]);
  expect(JSON.stringify(page)).not.toContain(vinOf(1));
  expect(typesIn(await read(`?cursor=${page.cursor}`)).filter((type) => type !== "topology.published")).toEqual([]);
});

test("pages follow each other without a gap, and ids never change", async () => {
  for (let n = 0; n < 5; n++) await place(n);
  const whole = await read("?type=vehicle.placed");
  const first = await read("?type=vehicle.placed&limit=2");
  const second = await read(`?type=vehicle.placed&cursor=${first.cursor}`);
  expect([first.items.length, first.hasMore, second.items.length]).toEqual([2, true, 3]);
  expect([...first.items, ...second.items]).toEqual(whole.items);
  expect(new Set(whole.items.map(({ id }) => id)).size).toBe(5);
});

test("what did not happen is not told: a refused change leaves no event", async () => {
  const start = await read();
  await call(control.app, "PATCH", "/v1/cells/cell-a", { body: { state: "draining" }, headers: { "If-Match": '"9"' } });
  await call(control.app, "PATCH", "/v1/cells/cell-a", { body: { weight: 2 } });
  expect(typesIn(await read(`?cursor=${start.cursor}`)).filter((type) => type !== "topology.published")).toEqual([]);
});

test("an import's placements make no event each", async () => {
  const body = Array.from({ length: 20 }, (_, n) => JSON.stringify({ vin: vinOf(n) })).join("\n");
  await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "application/x-ndjson" } });
  expect(typesIn(await read()).filter((type) => type.startsWith("vehicle"))).toEqual([]);
});

test("a cursor of another timeline, or from before what is kept, answers 410", async () => {
  const start = await read();
  for (let n = 0; n < 5; n++) await place(n);
  await control.core.write([trimEvents(2)]);
  expect((await call(control.app, "GET", `/v1/events?cursor=${start.cursor}`)).json["code"]).toBe("resnapshot");
  const { cursor } = await read();
  await control.database.sql("update meta set timeline = 'another'");
  expect((await call(control.app, "GET", `/v1/events?cursor=${cursor}`)).status).toBe(410);
});

test("every type that a trigger writes is one that the contract names", async () => {
  const triggers = await control.database.sql("select sql from sqlite_master where type = 'trigger' and sql like '%INTO events%'");
  const written = triggers.map(({ sql }) => /VALUES \('([a-z_.]+)'/.exec(String(sql))?.[1]);
  expect([...new Set(written)].sort()).toEqual([...EVENT_TYPES].sort());
});
