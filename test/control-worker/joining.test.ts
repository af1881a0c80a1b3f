import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Control, call, createControl } from "./support/control.ts";
import { assertionOf, createMember, endpointsOf, type Member, makeToken, proving, registrationOf } from "./support/fleet.ts";

let control: Control;
let cell: Member;

beforeEach(async () => {
  cell = await createMember("cell-a");
  control = await createControl({ fetch: proving(cell) });
});

afterEach(() => control.close());

const register = (body: unknown, at = control) => call(at.app, "POST", "/v1/cells", { token: null, body });
const codeOf = ({ status, json }: { status: number; json: Record<string, unknown> }) => [status, json["code"]];
const countCells = async () => (await control.database.sql("select count(*) as n from cells"))[0]?.["n"];

describe("a cell joins", () => {
  test("with a token and a proof at its endpoint it goes active, and the same call answers the same again", async () => {
    const joinToken = await makeToken(control);
    const first = await register(registrationOf(cell, joinToken));
    expect([first.status, first.json["state"], first.json["isProven"]]).toEqual([201, "active", true]);
    const again = await register(registrationOf(cell, joinToken));
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(await countCells()).toBe(1);
  });

  test("without autoApprove it waits, proven, for an operator; without proof approval is refused", async () => {
    const stranger = await createMember("cell-b");
    await register(registrationOf(cell, await makeToken(control, { autoApprove: false })));
    const unproven = await register(registrationOf(stranger, await makeToken(control)));
    expect([unproven.status, unproven.json["state"], unproven.json["isProven"]]).toEqual([201, "joining", false]);
    expect(codeOf(await call(control.app, "POST", "/v1/cells/cell-b/approve"))).toEqual([409, "conflict"]);
    expect((await call(control.app, "GET", "/v1/cells/cell-a")).json).toMatchObject({ state: "joining", isProven: true });
    expect((await call(control.app, "POST", "/v1/cells/cell-a/approve")).json["state"]).toBe("active");
    expect((await call(control.app, "POST", "/v1/cells/cell-a/approve")).status).toBe(200);
  });

  test("a proof made with another key is none, and the next registration asks again", async () => {
    const impostor = { ...cell, key: (await createMember("cell-a")).key };
    const cells = [impostor, cell];
    const fooled = await createControl({ database: control.database, fetch: async (url) => proving(cells.shift() ?? cell)(url) });
    const joinToken = await makeToken(fooled);
    expect((await register(registrationOf(cell, joinToken), fooled)).json["isProven"]).toBe(false);
    expect((await register(registrationOf(cell, joinToken), fooled)).json).toMatchObject({ isProven: true, state: "active" });
    fooled.close();
  });

  test.each([
    ["answers without end", async () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(4_096)) }))],
    ["redirects", async () => new Response(null, { status: 302, headers: { Location: "https://elsewhere.test" } })],
    ["answers something else", async () => Response.json({ proof: "x.y.z" })],
    ["does not answer", async () => Promise.reject(new TypeError("connection refused"))],
  ])("an endpoint that %s proves nothing", async (_, fetch) => {
    const lied = await createControl({ database: control.database, fetch });
    const answer = await register(registrationOf(cell, await makeToken(lied)), lied);
    expect([answer.status, answer.json["state"], answer.json["isProven"]]).toEqual([201, "joining", false]);
    lied.close();
  });

  test("a token that was used is refused to another key and to another id", async () => {
    const joinToken = await makeToken(control);
    await register(registrationOf(cell, joinToken));
    const other = await createMember("cell-a");
    expect(codeOf(await register(registrationOf(other, joinToken)))).toEqual([409, "join_token_used"]);
    expect(codeOf(await register(registrationOf(cell, joinToken, { id: "cell-b" })))).toEqual([409, "conflict"]);
    expect(await countCells()).toBe(1);
  });

  test("one token used by many at once makes one cell", async () => {
    const joinToken = await makeToken(control);
    const members = await Promise.all(Array.from({ length: 8 }, (_, index) => createMember(`cell-${String.fromCharCode(97 + index)}`)));
    const answers = await Promise.all(members.map((member) => register(registrationOf(member, joinToken))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
    expect(await countCells()).toBe(1);
  });

  test.each([
    ["an unknown token", { joinToken: "clj_nothing" }, [401, "unauthenticated"]],
    [
      "an endpoint outside the token's suffixes",
      { endpoints: { ...endpointsOf("cell-a"), https: "https://evil.test" } },
      [422, "endpoint_not_allowed"],
    ],
    [
      "a suffix that only looks right",
      { endpoints: { ...endpointsOf("cell-a"), mqtt: "mqtts://evilcells.test" } },
      [422, "endpoint_not_allowed"],
    ],
    [
      "an endpoint with credentials",
      { endpoints: { ...endpointsOf("cell-a"), https: "https://u:p@cell-a.cells.test" } },
      [422, "endpoint_not_allowed"],
    ],
    ["another zone", { zone: "eu" }, [422, "zone_mismatch"]],
    ["another region", { region: "elsewhere" }, [403, "forbidden"]],
    ["a private key", { publicKey: { kty: "OKP", crv: "Ed25519", kid: "k", x: "AA", d: "AA" } }, [422, "validation_failed"]],
    ["a key that is none", { publicKey: { kty: "OKP", crv: "Ed25519", kid: "k", x: "AA" } }, [422, "validation_failed"]],
    ["a malformed id", { id: "Cell_A" }, [422, "validation_failed"]],
  ])("%s is refused and changes nothing", async (_, wrong, expected) => {
    const joinToken = await makeToken(control, { region: "here" });
    expect(codeOf(await register(registrationOf(cell, joinToken, wrong)))).toEqual(expected);
    expect(await countCells()).toBe(0);
    expect((await register(registrationOf(cell, joinToken))).status).toBe(201);
  });

  test("an endpoint that vehicles may not be sent to is refused even when the token allows it", async () => {
    const joinToken = await makeToken(control, { endpointSuffixes: ["cells.test", "elsewhere.test"] });
    const endpoints = { mqtt: "mqtts://a.elsewhere.test", mqttWs: null, https: "https://a.elsewhere.test" };
    expect(codeOf(await register(registrationOf(cell, joinToken, { endpoints })))).toEqual([422, "endpoint_not_allowed"]);
  });

  test("an expired token is refused, but a cell that joined in time may repeat its call", async () => {
    const joinToken = await makeToken(control, { expiresInSeconds: 60 });
    const late = await makeToken(control, { expiresInSeconds: 60 });
    await register(registrationOf(cell, joinToken));
    control.clock.now += 61_000;
    expect((await register(registrationOf(cell, joinToken))).status).toBe(200);
    expect(codeOf(await register(registrationOf(await createMember("cell-b"), late)))).toEqual([401, "unauthenticated"]);
  });

  test("tokens are stored as hashes only", async () => {
    const joinToken = await makeToken(control);
    const rows = await control.database.sql("select * from join_tokens");
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(joinToken.slice(4));
  });
});

describe("a POP joins", () => {
  const registerPop = (member: Member, joinToken: string) =>
    call(control.app, "POST", "/v1/pops", { token: null, body: { joinToken, id: member.id, publicKey: member.publicKey } });

  test("with a token of its own kind, once per key, and is in the next topology", async () => {
    const pop = await createMember("pop-1");
    const joinToken = await makeToken(control, { kind: "pop" });
    expect((await registerPop(pop, joinToken)).status).toBe(201);
    expect((await registerPop(pop, joinToken)).status).toBe(200);
    expect(codeOf(await registerPop(await createMember("pop-1"), joinToken))).toEqual([409, "join_token_used"]);
    expect(codeOf(await registerPop(await createMember("pop-2"), await makeToken(control)))).toEqual([403, "forbidden"]);
    control.clock.now += 2_000;
    await control.core.publish();
    const topology = await call(control.app, "GET", "/v1/topology");
    expect(topology.json["popKeys"]).toEqual({ "pop-1": [pop.publicKey] });
  });

  test("removed, it is out of the next topology, its calls are refused within seconds, and its token does not let it in again", async () => {
    const pop = await createMember("pop-1");
    const joinToken = await makeToken(control, { kind: "pop" });
    await registerPop(pop, joinToken);
    const follow = async () => call(control.app, "GET", "/v1/feed", { token: await assertionOf(control, pop) });
    expect((await follow()).status).toBe(200);
    const removed = await call(control.app, "DELETE", "/v1/pops/pop-1");
    expect([removed.status, removed.json["id"]]).toEqual([200, "pop-1"]);
    control.clock.now += 6_000;
    await control.core.publish();
    expect((await call(control.app, "GET", "/v1/topology")).json["popKeys"]).toEqual({});
    expect(codeOf(await follow())).toEqual([401, "unauthenticated"]);
    expect(codeOf(await registerPop(pop, joinToken))).toEqual([409, "conflict"]);
    expect(codeOf(await call(control.app, "DELETE", "/v1/pops/pop-1"))).toEqual([404, "not_found"]);
    const { json } = await call(control.app, "GET", "/v1/audit?limit=1");
    expect(json).toMatchObject({ items: [{ target: "pop/pop-1", after: null }] });
  });
});
