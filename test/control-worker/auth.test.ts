import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signAssertion } from "#schema/crypto/assertion.ts";
import { signJwt } from "#schema/crypto/jwt.ts";
import { type Control, call, createControl, DEVICE_ISSUER } from "./support/control.ts";
import { addCell, addPop, assertionOf, createMember, type Member, vinOf } from "./support/fleet.ts";

let control: Control;
let cell: Member;
let pop: Member;

beforeEach(async () => {
  control = await createControl();
  cell = await createMember("cell-a");
  pop = await createMember("pop-1");
  await addCell(control, cell);
  await addPop(control, pop);
});

afterEach(() => control.close());

const SYNC = { observed: { incarnation: 1, release: "1", health: "ok" }, cursor: null };
const sync = (token: string | null, id = "cell-a") => call(control.app, "POST", `/v1/cells/${id}/sync`, { token, body: SYNC });
const place = (token: string | null) =>
  call(control.app, "POST", "/v1/placements", { token, body: { vin: vinOf(1), issuer: DEVICE_ISSUER } });
const codeOf = ({ status, json }: { status: number; json: Record<string, unknown> }) => [status, json["code"]];

describe("who may call", () => {
  test.each([
    ["POST", "/v1/join-tokens"],
    ["GET", "/v1/cells"],
    ["GET", "/v1/cells/cell-a"],
    ["PATCH", "/v1/cells/cell-a"],
    ["POST", "/v1/cells/cell-a/approve"],
    ["POST", "/v1/cells/cell-a/sync"],
    ["POST", "/v1/placements"],
    ["GET", "/v1/topology"],
    ["POST", "/v1/vehicles/import"],
    ["GET", "/v1/vehicles"],
    ["GET", `/v1/vehicles/${vinOf(1)}`],
    ["PATCH", `/v1/vehicles/${vinOf(1)}`],
  ])("%s %s answers 401 problem+json to nobody and to a wrong token", async (method, path) => {
    for (const token of [null, "clv_wrong", "x".repeat(5000)]) {
      const answer = await call(control.app, method, path, { token, ...(method !== "GET" && { body: {} }) });
      expect(codeOf(answer)).toEqual([401, "unauthenticated"]);
      expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
      expect(answer.json["requestId"]).toBe(answer.headers.get("X-Request-Id"));
    }
  });

  test("each kind of caller is taken for its own operations only", async () => {
    expect((await sync(await assertionOf(control, cell))).status).toBe(200);
    expect((await place(await assertionOf(control, pop))).status).toBe(200);
    expect(codeOf(await place(await assertionOf(control, cell)))).toEqual([401, "unauthenticated"]);
    expect(codeOf(await sync(await assertionOf(control, pop)))).toEqual([401, "unauthenticated"]);
    expect((await call(control.app, "GET", "/v1/cells", { token: await assertionOf(control, pop) })).status).toBe(401);
    await control.core.publish();
    expect((await call(control.app, "GET", "/v1/topology", { token: await assertionOf(control, pop) })).status).toBe(200);
  });

  test("a cell syncs for itself only", async () => {
    const other = await createMember("cell-b");
    await addCell(control, other);
    expect(codeOf(await sync(await assertionOf(control, other)))).toEqual([403, "forbidden"]);
  });

  test("an assertion under a known id with another key, or of another kind of token, is refused", async () => {
    const impostor = await createMember("cell-a");
    expect(codeOf(await sync(await assertionOf(control, { ...impostor, key: { ...impostor.key, kid: cell.key.kid } })))).toEqual([
      401,
      "unauthenticated",
    ]);
    const iat = Math.floor(control.clock.now / 1000);
    const claims = { iss: "cell-a", sub: "cell-a", aud: "cloverleaf-control", iat, exp: iat + 60 };
    expect(codeOf(await sync(await signJwt(cell.key, "cloverleaf-proof+jwt", claims)))).toEqual([401, "unauthenticated"]);
  });

  test.each([-10, 10])("a caller whose clock is %i minutes off gets clock_skew and the time to mend it with", async (minutes) => {
    const answer = await sync(await signAssertion(cell.key, cell.id, control.clock.now + minutes * 60_000));
    expect([...codeOf(answer), answer.json["now"], answer.json["retryable"]]).toEqual([401, "clock_skew", control.clock.now, true]);
    const mended = await sync(await signAssertion(cell.key, cell.id, Number(answer.json["now"])));
    expect(mended.status).toBe(200);
  });
});

describe("bodies", () => {
  test.each([
    ["not JSON", "{", {}, [400, "bad_request"]],
    ["not UTF-8", new Uint8Array([123, 34, 255, 34, 125]), {}, [400, "bad_request"]],
    ["of another type", "kind=cell", { "Content-Type": "application/x-www-form-urlencoded" }, [415, "unsupported_media_type"]],
    ["too large", `{"kind":"cell","x":"${"x".repeat(70_000)}"}`, {}, [413, "payload_too_large"]],
    ["of the wrong shape", '{"kind":"bus"}', {}, [422, "validation_failed"]],
  ])("a body that is %s is refused and changes nothing", async (_, body, headers, expected) => {
    expect(codeOf(await call(control.app, "POST", "/v1/join-tokens", { body, headers }))).toEqual(expected);
    expect(await control.database.sql("select count(*) as n from join_tokens")).toEqual([{ n: 0 }]);
  });

  test("a known path with another method answers 405 and names those it has", async () => {
    const answer = await call(control.app, "PUT", "/v1/cells/cell-a");
    expect([...codeOf(answer), answer.headers.get("Allow")]).toEqual([405, "method_not_allowed", expect.stringMatching(/^GET, PATCH/)]);
    expect((await call(control.app, "PUT", "/v1/vehicles/import")).status).toBe(405);
  });

  test("what is nowhere answers 404 problem+json", async () => {
    expect(codeOf(await call(control.app, "GET", "/v1/nothing"))).toEqual([404, "not_found"]);
    expect(codeOf(await call(control.app, "GET", "/v1/cells/cell-z"))).toEqual([404, "not_found"]);
    expect(codeOf(await call(control.app, "GET", `/v1/vehicles/${vinOf(404)}`))).toEqual([404, "not_found"]);
  });

  test("I10: no VIN reaches a log line, whatever fails", async () => {
    await place(await assertionOf(control, pop));
    control.database.sql("drop table assignments");
    await place(await assertionOf(control, pop));
    await call(control.app, "GET", `/v1/vehicles/${vinOf(1)}`);
    expect(control.logs.length).toBeGreaterThan(0);
    expect(control.logs.join("\n")).not.toContain(vinOf(1));
  });
});
