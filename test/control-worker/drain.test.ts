import { afterEach, expect, test } from "vitest";
import { call } from "./support/control.ts";
import { assertionOf } from "./support/fleet.ts";
import { createMoveLab, type MoveLab, ownersOf, settle, startCampaign, tick } from "./support/move-lab.ts";

let lab: MoveLab;
afterEach(() => lab.control.close());

const patch = (body: unknown) => call(lab.control.app, "PATCH", "/v1/cells/cell-a", { body });
const retire = (ifMatch?: string, id = "cell-a") =>
  call(lab.control.app, "DELETE", `/v1/cells/${id}`, { headers: ifMatch === undefined ? {} : { "If-Match": ifMatch } });
const stateOf = async () => (await call(lab.control.app, "GET", "/v1/cells/cell-a")).json["state"];

test("a cell is drained by a campaign, is drained when it is empty, and only then retires", async () => {
  lab = await createMoveLab(4);
  expect((await patch({ state: "draining" })).json).toMatchObject({ state: "draining" });
  await tick(lab);
  expect(await stateOf()).toBe("draining");
  expect([(await retire()).status, (await retire('"99"')).status, (await retire("*")).status]).toEqual([428, 412, 409]);
  await startCampaign(lab, { targets: null, policy: { canaryShare: 0 } });
  await settle(lab);
  await tick(lab);
  expect(await stateOf()).toBe("drained");
  expect((await ownersOf(lab)).every(({ cell }) => cell !== "cell-a")).toBe(true);
  const { version } = (await call(lab.control.app, "GET", "/v1/cells/cell-a")).json;
  expect((await retire(`"${version}"`)).json).toMatchObject({ state: "retired", vehicles: 0 });
  lab.control.clock.now += 6_000;
  await lab.control.core.publish();
  expect(JSON.parse(lab.control.kv.values.get("topology") ?? "").cells).not.toHaveProperty("cell-a");
  expect(await lab.cells.a.sync(lab.control)).toBe(401);
});

test("nobody is moved to a cell that drains", async () => {
  lab = await createMoveLab(2);
  await call(lab.control.app, "PATCH", "/v1/cells/cell-b", { body: { state: "draining" } });
  const body = { reason: "test", selection: { kind: "cell", cell: "cell-a" }, targets: ["cell-b"] };
  expect((await call(lab.control.app, "POST", "/v1/campaigns/plan", { body })).json).toMatchObject({
    vehicles: 0,
    skipped: { no_capacity: 2 },
  });
});

test("a standby that others count on does not retire; a cell that never joined does", async () => {
  lab = await createMoveLab(0);
  await call(lab.control.app, "PATCH", "/v1/cells/cell-b", { body: { standby: "cell-a" } });
  await patch({ state: "draining" });
  await tick(lab);
  const answer = await retire("*");
  expect([answer.status, answer.json["detail"]]).toEqual([409, "it is the standby of cell-b"]);
  await lab.control.database.sql("update cells set state = 'joining' where id = 'cell-c'");
  expect((await retire("*", "cell-c")).status).toBe(200);
  const token = await assertionOf(lab.control, lab.cells.a.member);
  expect((await call(lab.control.app, "DELETE", "/v1/cells/cell-a", { token, headers: { "If-Match": "*" } })).status).toBe(401);
});
