import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Control, call, createControl } from "./support/control.ts";
import { addCell, createMember, endpointsOf } from "./support/fleet.ts";

let control: Control;

beforeEach(async () => {
  control = await createControl();
  await addCell(control, await createMember("cell-a"), { zone: "eu" });
  await addCell(control, await createMember("cell-b"), { zone: "eu" });
  await addCell(control, await createMember("cell-cn"), { zone: "cn" });
});

afterEach(() => control.close());

const patch = (body: unknown, headers: Record<string, string> = {}) => call(control.app, "PATCH", "/v1/cells/cell-a", { body, headers });
const codeOf = ({ status, json }: { status: number; json: Record<string, unknown> }) => [status, json["code"]];

describe("PATCH /v1/cells/{id}", () => {
  test("changes what it names and nothing else, at the next version", async () => {
    const before = (await call(control.app, "GET", "/v1/cells/cell-a")).json;
    const changed = await patch({ capacity: { hardLimit: 5 }, tags: ["vip"], weight: 2, standby: "cell-b" });
    expect([changed.status, changed.headers.get("ETag")]).toEqual([200, '"2"']);
    const capacity = { hardLimit: 5, warnShare: 0.7, requestShare: 0.85 };
    expect(changed.json).toEqual({ ...before, capacity, tags: ["vip"], weight: 2, standby: "cell-b", version: 2 });
    expect((await patch({ standby: null })).json["standby"]).toBeNull();
  });

  test.each([
    ["I12: a standby in another zone", { standby: "cell-cn" }, [422, "zone_mismatch"]],
    ["itself as standby", { standby: "cell-a" }, [409, "conflict"]],
    ["an unknown standby", { standby: "cell-z" }, [404, "not_found"]],
    [
      "an endpoint outside the suffixes",
      { endpoints: endpointsOf("x.evil") && { ...endpointsOf("a"), https: "https://a.evil" } },
      [422, "endpoint_not_allowed"],
    ],
    ["an unknown member", { zone: "cn" }, [422, "validation_failed"]],
    ["a state that this call does not give", { state: "retired" }, [422, "validation_failed"]],
    ["a negative limit", { capacity: { hardLimit: -1 } }, [422, "validation_failed"]],
  ])("%s is refused and changes nothing", async (_, body, expected) => {
    expect(codeOf(await patch(body))).toEqual(expected);
    expect((await call(control.app, "GET", "/v1/cells/cell-a")).json["version"]).toBe(1);
  });

  test("a cell drains and comes back; a joining one needs approval instead", async () => {
    expect((await patch({ state: "draining" })).json["state"]).toBe("draining");
    expect((await patch({ state: "active" })).json["state"]).toBe("active");
    await control.database.sql("update cells set state = 'joining' where id = 'cell-a'");
    expect(codeOf(await patch({ state: "active" }))).toEqual([409, "conflict"]);
  });

  test("of two calls with the same ETag one wins, the other gets 412; without an ETag both are done, one after the other", async () => {
    const answers = await Promise.all([patch({ weight: 2 }, { "If-Match": '"1"' }), patch({ weight: 3 }, { "If-Match": '"1"' })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const both = await Promise.all([patch({ weight: 4 }), patch({ tags: ["x"] })]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await call(control.app, "GET", "/v1/cells/cell-a")).json).toMatchObject({ weight: 4, tags: ["x"], version: 4 });
  });

  test("I6: new endpoints are one topology event, and nobody is placed there until the edge has them", async () => {
    await control.core.publish();
    await patch({ endpoints: { ...endpointsOf("new.cell-a"), mqttWs: "wss://new.cell-a.cells.test/mqtt" } });
    expect(await control.database.sql("select endpoints_published_at from cells where id = 'cell-a'")).toEqual([
      { endpoints_published_at: null },
    ]);
    control.clock.now += 5_000;
    await control.core.publish();
    expect(await control.database.sql("select endpoints_published_at from cells where id = 'cell-a'")).toEqual([
      { endpoints_published_at: control.clock.now },
    ]);
    expect(JSON.parse(control.kv.values.get("topology") ?? "")).toMatchObject({
      cells: { "cell-a": { endpoints: { https: "https://new.cell-a.cells.test" } } },
    });
    expect(await control.database.sql("select count(*) as n from outbox where kind = 'route'")).toEqual([{ n: 0 }]);
  });
});

test("GET /v1/cells pages through all cells in order", async () => {
  const first = await call(control.app, "GET", "/v1/cells?limit=2");
  expect((first.json["items"] as { id: string }[]).map(({ id }) => id)).toEqual(["cell-a", "cell-b"]);
  const second = await call(control.app, "GET", `/v1/cells?limit=2&cursor=${first.json["cursor"]}`);
  expect((second.json["items"] as { id: string }[]).map(({ id }) => id)).toEqual(["cell-cn"]);
  expect(second.json["cursor"]).toBeNull();
});
