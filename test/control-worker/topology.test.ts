import { afterEach, describe, expect, test } from "vitest";
import { parseTopology } from "#schema/api/topology.ts";
import { guardTopology, type Topology, type TopologyCell } from "#schema/domain/topology.ts";
import { decidePublication, saysTheSame, type TopologyContent } from "../../control-worker/publish/build-topology.ts";
import { type Control, call, createControl } from "./support/control.ts";
import { tooMany } from "./support/fake-kv.ts";
import { addCell, createMember, endpointsOf } from "./support/fleet.ts";

const cellOf = (state: TopologyCell["state"] = "active"): TopologyCell => ({
  state,
  health: "healthy",
  region: "here",
  zone: null,
  endpoints: endpointsOf("a"),
  standby: null,
  keys: [],
});
const contentOf = (...ids: string[]): TopologyContent => ({
  v: 1,
  cells: Object.fromEntries(ids.map((id) => [id, cellOf()])),
  failovers: [],
  issuers: [],
  popKeys: {},
  allowedHosts: [],
  revoked: [],
  ruleSetVersion: null,
});
const publish = (known: Topology | null, content: TopologyContent, version: number): Topology => {
  const publication = decidePublication(known, content, version);
  if (publication.kind !== "publish") throw new Error("held");
  return publication.document;
};

describe("decidePublication", () => {
  test("I13: more lost cells than the guard allows are held; one single lost cell is published by force", () => {
    const known = publish(null, contentOf("a", "b", "c", "d"), 1);
    expect(decidePublication(known, contentOf("a", "b"), 2)).toEqual({ kind: "hold", lost: ["c", "d"] });
    expect(publish(known, contentOf("a", "b", "c"), 2)).toMatchObject({ version: 2, force: true, forcedVersion: 2 });
    const many = publish(null, contentOf(..."abcdefghij"), 1);
    expect(publish(many, contentOf(..."abcdefgh"), 2)).toMatchObject({ force: false });
  });

  test("an edge that missed the forced version takes the ones behind it", () => {
    const first = publish(null, contentOf("a", "b"), 1);
    const forced = publish(first, contentOf("a"), 2);
    const third = publish(forced, { ...contentOf("a"), allowedHosts: ["x"] }, 3);
    expect(third.force).toBe(false);
    expect(guardTopology(first, third)).toEqual({ kind: "accept" });
  });

  test("the order of members is no change of content", () => {
    const known = publish(null, contentOf("a", "b"), 1);
    expect(saysTheSame(known, contentOf("b", "a"))).toBe(true);
    expect(saysTheSame(known, contentOf("b", "c"))).toBe(false);
  });
});

describe("publishing the topology", () => {
  let control: Control;
  afterEach(() => control.close());

  const inKv = () => parseTopology(JSON.parse(control.kv.values.get("topology") ?? "null"));
  const puts = () => control.kv.writes.filter(({ key }) => key === "topology").length;
  const publishAfter = async (milliseconds: number) => {
    control.clock.now += milliseconds;
    await control.core.publish();
  };

  test("every change within a second is one write, and a change of nothing is none", async () => {
    control = await createControl();
    await control.core.publish();
    expect([inKv()?.version, puts()]).toEqual([1, 1]);
    for (const id of ["cell-a", "cell-b", "cell-c"]) {
      await addCell(control, await createMember(id));
      await publishAfter(100);
    }
    expect(puts()).toBe(1);
    await publishAfter(1_000);
    expect([inKv()?.version, Object.keys(inKv()?.cells ?? {}), puts()]).toEqual([2, ["cell-a", "cell-b", "cell-c"], 2]);
    await control.database.sql("update cells set state = 'active'");
    await publishAfter(2_000);
    expect([inKv()?.version, puts()]).toEqual([2, 2]);
    expect(await control.database.sql("select count(*) as n from outbox where published_at is null")).toEqual([{ n: 0 }]);
  });

  test("it passes its own schema, and says what GET /v1/topology says", async () => {
    control = await createControl();
    await addCell(control, await createMember("cell-a"));
    expect((await call(control.app, "GET", "/v1/topology")).status).toBe(503);
    await control.core.publish();
    expect((await call(control.app, "GET", "/v1/topology")).json).toEqual(inKv());
  });

  test("cells that have not proved their endpoint are not in it", async () => {
    control = await createControl();
    await addCell(control, await createMember("cell-a"), { state: "joining" });
    await control.database.sql("update cells set is_proven = 0");
    await control.core.publish();
    expect(inKv()?.cells).toEqual({});
  });

  test("another configuration is published by the next instance, without any event", async () => {
    control = await createControl();
    await control.core.publish();
    const next = await createControl({ database: control.database, kv: control.kv, variables: { ALLOWED_HOSTS: '["other.test"]' } });
    await next.core.publish();
    expect(inKv()).toMatchObject({ version: 2, allowedHosts: ["other.test"] });
    next.close();
  });

  test("I13: a loss of too many cells is held and logged; the edge keeps what it has", async () => {
    control = await createControl();
    for (const id of ["cell-a", "cell-b", "cell-c", "cell-d"]) await addCell(control, await createMember(id));
    await control.core.publish();
    await control.database.sql("update cells set health = 'down' where id in ('cell-a', 'cell-b')");
    await publishAfter(2_000);
    expect([inKv()?.version, inKv()?.cells["cell-a"]?.health]).toEqual([1, "healthy"]);
    expect(control.logs.join("\n")).toContain("topology held");
    await control.database.sql("update cells set health = 'healthy' where id = 'cell-b'");
    await publishAfter(2_000);
    expect(inKv()).toMatchObject({ version: 2, force: true, cells: { "cell-a": { health: "down" }, "cell-b": { health: "healthy" } } });
  });

  test("429 for the topology delays neither itself for good nor the routes", async () => {
    control = await createControl();
    control.kv.before = ({ key }) => {
      if (key === "topology") throw tooMany();
    };
    await addCell(control, await createMember("cell-a"));
    await control.core.publish();
    const body = '{"vin":"WVWZZZ1JZXW000001"}';
    await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "application/x-ndjson" } });
    await control.core.publish();
    expect([...control.kv.values.keys()].map((key) => key.slice(0, 2))).toEqual(["r/"]);
    control.kv.before = () => {};
    await publishAfter(1_500);
    expect(inKv()?.version).toBe(1);
  });
});
