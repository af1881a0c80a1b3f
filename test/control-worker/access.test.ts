import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generateSigningJwk, importSigningKey, publicJwkOf } from "#schema/crypto/keys.ts";
import { signOperatorToken } from "#schema/crypto/operator-token.ts";
import type { OperatorRole } from "#schema/domain/role.ts";
import { ADMIN_TOKEN, type Answer, type Control, call, createControl } from "./support/control.ts";
import { addCell, createMember, vinOf } from "./support/fleet.ts";
import { addApiToken } from "./support/operators.ts";

let control: Control;
beforeEach(async () => {
  control = await createControl();
  await addCell(control, await createMember("cell-a"));
});
afterEach(() => control.close());

const codeOf = ({ status, json }: Answer) => [status, json["code"]];
let keys = 0;
const freshKey = () => `key-${++keys}`;
const createToken = (body: Record<string, unknown>, token = ADMIN_TOKEN, key = freshKey()) =>
  call(control.app, "POST", "/v1/api-tokens", { token, body: { name: "ci", ...body }, headers: { "Idempotency-Key": key } });
const readCells = (token: string) => call(control.app, "GET", "/v1/cells", { token });

describe("API tokens", () => {
  test("are shown once, stored as a hash, and work until they are revoked", async () => {
    const made = await createToken({ role: "viewer" });
    const token = String(made.json["token"]);
    expect([made.status, token.startsWith("clv_")]).toEqual([201, true]);
    expect((await readCells(token)).status).toBe(200);
    expect((await call(control.app, "GET", "/v1/api-tokens")).text).not.toContain(token);
    expect(JSON.stringify(await control.database.sql("select * from api_tokens"))).not.toContain(token);
    expect(JSON.stringify(await control.database.sql("select * from audit"))).not.toContain(token);
    expect((await call(control.app, "DELETE", `/v1/api-tokens/${made.json["id"]}`)).json["revokedAt"]).not.toBeNull();
    expect(codeOf(await readCells(token))).toEqual([401, "unauthenticated"]);
    expect((await call(control.app, "DELETE", `/v1/api-tokens/${made.json["id"]}`)).status).toBe(200);
  });

  test("end by themselves", async () => {
    const token = String((await createToken({ role: "viewer", expiresInSeconds: 60 })).json["token"]);
    control.clock.now += 59_000;
    expect((await readCells(token)).status).toBe(200);
    control.clock.now += 1_000;
    expect(codeOf(await readCells(token))).toEqual([401, "unauthenticated"]);
  });

  test("reach their scopes only, and nobody hands out more than they have", async () => {
    const cellsOnly = await addApiToken(control, { role: "admin", scopes: ["cells", "api-tokens"] });
    expect((await readCells(cellsOnly)).status).toBe(200);
    expect(codeOf(await call(control.app, "GET", "/v1/vehicles", { token: cellsOnly }))).toEqual([403, "forbidden"]);
    expect(codeOf(await createToken({ role: "viewer" }, cellsOnly))).toEqual([403, "forbidden"]);
    expect(codeOf(await createToken({ role: "viewer", scopes: ["vehicles"] }, cellsOnly))).toEqual([403, "forbidden"]);
    expect((await createToken({ role: "viewer", scopes: ["cells"] }, cellsOnly)).status).toBe(201);
  });
});

describe("OIDC access tokens", () => {
  const ISSUER = "https://id.test";
  const JWKS_URI = "https://id.test/jwks";

  const withProvider = async (fetch: (url: string) => Promise<Response>, jwksUri = `${JWKS_URI}/${freshKey()}`) => {
    control.close();
    const issuers = [{ issuer: ISSUER, kind: "operator", wmis: [], keys: [], jwksUri }];
    control = await createControl({ variables: { ISSUERS: JSON.stringify(issuers) }, fetch });
    return jwksUri;
  };

  test.each([
    ["viewer", "GET", "/v1/cells", 200],
    ["viewer", "PATCH", "/v1/cells/cell-z", 403],
    ["operator", "PATCH", "/v1/cells/cell-z", 404],
    ["operator", "GET", "/v1/api-tokens", 403],
    ["admin", "GET", "/v1/api-tokens", 200],
  ] as const)("a %s gets for %s %s: %i", async (role, method, path, status) => {
    const jwk = await generateSigningJwk("idp");
    await withProvider(async () => Response.json({ keys: [publicJwkOf(jwk), { kty: "oct", kid: "x", k: "AA" }] }));
    const token = await signOperatorToken(await importSigningKey(jwk), {
      subject: "ann",
      issuer: ISSUER,
      roles: [role],
      nowMs: control.clock.now,
    });
    const body = method === "PATCH" ? { body: { tags: [] } } : {};
    expect((await call(control.app, method, path, { token, ...body })).status).toBe(status);
  });

  test("RS256, which most providers sign with, is taken; a token of another audience, issuer or key is not", async () => {
    const pair = await generateKeyPair("RS256");
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: "rsa-1", alg: "RS256" };
    await withProvider(async () => Response.json({ keys: [jwk] }));
    const sign = (more: { aud?: string; iss?: string; kid?: string; roles?: readonly OperatorRole[] } = {}) => {
      const iat = Math.floor(control.clock.now / 1000);
      return new SignJWT({ iss: ISSUER, sub: "ann", aud: "cloverleaf", roles: ["viewer"], iat, exp: iat + 60, ...more })
        .setProtectedHeader({ alg: "RS256", kid: more.kid ?? "rsa-1", typ: "at+jwt" })
        .sign(pair.privateKey);
    };
    expect((await readCells(await sign())).status).toBe(200);
    for (const wrong of [{ aud: "other" }, { iss: "https://evil.test" }, { kid: "rsa-2" }, { roles: [] }]) {
      expect(codeOf(await readCells(await sign(wrong)))).toEqual([401, "unauthenticated"]);
    }
  });

  test("a new key of the provider is found, its keys outlive an outage, and unknown keys do not hammer it", async () => {
    const [first, second] = [await generateSigningJwk("one"), await generateSigningJwk("two")];
    const published = [publicJwkOf(first)];
    let isUp = true;
    let calls = 0;
    await withProvider(async () => {
      calls += 1;
      return isUp ? Response.json({ keys: published }) : new Response(null, { status: 503 });
    });
    const tokenOf = async (jwk: typeof first) =>
      signOperatorToken(await importSigningKey(jwk), { subject: "ann", issuer: ISSUER, roles: ["viewer"], nowMs: control.clock.now });
    expect((await readCells(await tokenOf(first))).status).toBe(200);
    for (let i = 0; i < 5; i++) expect((await readCells(await tokenOf(second))).status).toBe(401);
    expect(calls).toBe(1);
    published.push(publicJwkOf(second));
    control.clock.now += 31_000;
    expect((await readCells(await tokenOf(second))).status).toBe(200);
    isUp = false;
    control.clock.now += 3_600_000;
    expect((await readCells(await tokenOf(first))).status).toBe(200);
  });
});

describe("the audit", () => {
  const readAudit = async () => (await call(control.app, "GET", "/v1/audit")).json["items"] as Record<string, unknown>[];
  const verify = async () => (await call(control.app, "GET", "/v1/audit/verify")).json;

  test("says who changed what, by which request, from what to what; newest first, in pages", async () => {
    const token = await addApiToken(control, { role: "operator" });
    await call(control.app, "PATCH", "/v1/cells/cell-a", { token, body: { weight: 3 }, headers: { "X-Request-Id": "request-0001" } });
    await call(control.app, "PATCH", "/v1/cells/cell-a", { body: { tags: ["vip"] } });
    const [second, first] = await readAudit();
    expect(first).toMatchObject({
      seq: 1,
      actor: expect.stringMatching(/^token:/),
      requestId: "request-0001",
      action: "PATCH /v1/cells/:id",
      target: "cell/cell-a",
      before: { weight: 1, version: 1 },
      after: { weight: 3, version: 2 },
    });
    expect(second).toMatchObject({ seq: 2, actor: "bootstrap", before: { tags: [] }, after: { tags: ["vip"] } });
    const page = await call(control.app, "GET", "/v1/audit?limit=1");
    const next = await call(control.app, "GET", `/v1/audit?limit=1&cursor=${page.json["cursor"]}`);
    expect((next.json["items"] as unknown[])[0]).toEqual(first);
  });

  test("a refused or failed change leaves no trace in it, and reading none either", async () => {
    await call(control.app, "PATCH", "/v1/cells/cell-a", { body: { weight: 3 }, headers: { "If-Match": '"7"' } });
    await call(control.app, "PATCH", "/v1/cells/cell-z", { body: { weight: 3 } });
    await call(control.app, "GET", "/v1/cells");
    expect(await readAudit()).toEqual([]);
  });

  test("I10: keeps vehicles by vinKey, imports by their lines", async () => {
    const body = `{"vin":"${vinOf(1)}"}\n{"vin":"${vinOf(2)}"}\n`;
    await call(control.app, "POST", "/v1/vehicles/import", { body, headers: { "Content-Type": "application/x-ndjson" } });
    await call(control.app, "PATCH", `/v1/vehicles/${vinOf(1)}`, { body: { model: "x" } });
    const entries = await readAudit();
    expect(entries).toMatchObject([
      { target: expect.stringMatching(/^vehicle\/[\w-]{22}$/), before: { model: null }, after: { model: "x" } },
      { target: "vehicles", after: { vehicles: 2, firstLine: 1, lastLine: 2 } },
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/WVWZZZ/);
  });

  test("writes that are gathered into one batch are chained in their order", async () => {
    const weights = Array.from({ length: 20 }, (_, index) => index + 2);
    await Promise.all(weights.map((weight) => createToken({ role: "viewer", name: `t${weight}` })));
    expect(await verify()).toMatchObject({ isIntact: true, entries: 20, brokenAt: null, head: { seq: 20 } });
  });

  test("its rows can be neither changed nor deleted nor replaced, by anybody who has the database", async () => {
    await createToken({ role: "viewer" });
    for (const sql of [
      "update audit set actor = 'nobody'",
      "delete from audit",
      "insert or replace into audit select * from audit where seq = 1",
      "insert into audit select 5, at, actor, request_id, action, target, before, after, hash from audit",
    ]) {
      await expect(control.database.sql(sql)).rejects.toThrow(/audit/);
    }
    expect(await verify()).toMatchObject({ isIntact: true, entries: 1 });
  });

  test("a row that was changed below the triggers is named by the chain", async () => {
    for (let i = 0; i < 5; i++) await createToken({ role: "viewer" });
    await control.database.sql("drop trigger audit_no_update");
    await control.database.sql("update audit set actor = 'somebody else' where seq = 3");
    expect(await verify()).toMatchObject({ isIntact: false, brokenAt: 3, head: { seq: 2 } });
  });

  test("a new writer goes on with the same chain", async () => {
    await createToken({ role: "viewer" });
    await control.database.sql("update leases set expires_at = 0");
    const other = await createControl({ database: control.database, holder: "instance-b" });
    expect((await call(other.app, "PATCH", "/v1/cells/cell-a", { body: { weight: 2 } })).status).toBe(200);
    other.close();
    expect(await verify()).toMatchObject({ isIntact: true, entries: 2 });
  });
});

describe("Idempotency-Key", () => {
  const countTokens = async () => (await control.database.sql("select count(*) as n from api_tokens"))[0]?.["n"];

  test("a repeated call is answered the same and creates nothing, however often and whoever asks at once", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => createToken({ role: "viewer" }, ADMIN_TOKEN, "same")));
    answers.push(await createToken({ role: "viewer" }, ADMIN_TOKEN, "same"));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ json }) => json["token"])).size).toBe(1);
    expect(answers.at(-1)?.headers.get("Idempotent-Replayed")).toBe("true");
    expect(await countTokens()).toBe(1);
  });

  test("is required where a secret is made, refused with another body, and each caller's own", async () => {
    const without = await call(control.app, "POST", "/v1/api-tokens", { body: { name: "x", role: "viewer" } });
    expect(codeOf(without)).toEqual([400, "idempotency_key_required"]);
    await createToken({ role: "viewer" }, ADMIN_TOKEN, "one");
    expect(codeOf(await createToken({ role: "operator" }, ADMIN_TOKEN, "one"))).toEqual([422, "idempotency_key_reused"]);
    const other = await addApiToken(control, { role: "admin" });
    expect((await createToken({ role: "operator" }, other, "one")).status).toBe(201);
    expect(codeOf(await createToken({ role: "viewer" }, ADMIN_TOKEN, "ü"))).toEqual([400, "bad_request"]);
  });

  test("a failed call is not remembered; a remembered secret cannot be read from the database", async () => {
    expect((await createToken({ role: "emperor" }, ADMIN_TOKEN, "again")).status).toBe(422);
    const made = await createToken({ role: "viewer" }, ADMIN_TOKEN, "again");
    expect(made.status).toBe(201);
    const stored = JSON.stringify(await control.database.sql("select * from idempotency_keys"));
    expect(stored).not.toContain(String(made.json["token"]));
    expect(stored).not.toContain("again");
  });

  test("join tokens take one too, and are forgotten after a day", async () => {
    const ask = () => call(control.app, "POST", "/v1/join-tokens", { body: { kind: "pop" }, headers: { "Idempotency-Key": "j" } });
    const [first, second] = [await ask(), await ask()];
    expect(second.json).toEqual(first.json);
    control.clock.now += 25 * 3_600_000;
    await control.core.tick();
    expect((await ask()).json["id"]).not.toBe(first.json["id"]);
  });
});
