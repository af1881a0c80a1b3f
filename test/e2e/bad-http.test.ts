import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JoinTokenAnswer } from "#schema/api/cells.ts";
import { generateSigningJwk, publicJwkOf } from "#schema/crypto/keys.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import { assemble, forge, newPair, type Pair, pairOf } from "../crypto/tokens.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { freshVin } from "./support/vins.ts";
import { createWorld, problemOf, type World } from "./support/world.ts";

let lab: Lab;
let world: World;
let issuer: Pair;
let stranger: Pair;

beforeAll(async () => {
  lab = await startLab({ cells: 1 });
  world = await createWorld(lab.file);
  issuer = await pairOf(world.file.device.privateJwk);
  stranger = await newPair();
});
afterAll(() => lab?.stop());

/** Registry and cells as they stand: what bad input must leave alone. */
const snapshot = async () => {
  const [vehicles, cells] = await Promise.all([world.admin("GET", "/v1/vehicles?limit=1000"), world.admin("GET", "/v1/cells")]);
  return [
    vehicles.body,
    (cells.body as { items: { id: string; vehicles: number; version: number }[] }).items.map(({ id, vehicles: count, version }) => [
      id,
      count,
      version,
    ]),
  ];
};

const unchanged = async (act: () => Promise<void>) => {
  const before = await snapshot();
  await act();
  expect(await snapshot()).toEqual(before);
};

const now = () => Math.floor(Date.now() / 1000);
const claims = (changes: Readonly<Record<string, unknown>> = {}) => ({
  iss: world.file.device.issuer,
  sub: freshVin(),
  aud: ["cloverleaf", "cloverleaf-cell"],
  iat: now(),
  exp: now() + 600,
  ...changes,
});

describe("I8: a credential that does not hold is answered 401 and changes nothing", () => {
  test.each<readonly [string, () => Promise<string> | string]>([
    ["no JWT at all", () => "nonsense"],
    ["three words", () => "a.b.c"],
    ["expired", () => forge(issuer, claims({ iat: now() - 7200, exp: now() - 3600 }))],
    ["without expiry", () => forge(issuer, { ...claims(), exp: undefined as never })],
    ["of the future", () => forge(issuer, claims({ nbf: now() + 3600 }))],
    ["of an unknown issuer", () => forge(issuer, claims({ iss: "https://evil.example.com" }))],
    ["signed by a stranger", () => forge(stranger, claims(), { kid: issuer.key.kid })],
    ["with an unknown key", () => forge(stranger, claims())],
    ["of a manufacturer that the issuer does not vouch for", () => forge(issuer, claims({ sub: freshVin("JHM") }))],
    ["for another audience", () => forge(issuer, claims({ aud: "another-service" }))],
    ["for the cell only", () => forge(issuer, claims({ aud: "cloverleaf-cell" }))],
    ["with alg none", () => assemble({ alg: "none", typ: "JWT" }, claims(), "")],
    ["with HS256 under the public key", () => assemble({ alg: "HS256", kid: issuer.key.kid }, claims(), "AAAA")],
    ["of another kind", () => forge(issuer, claims(), { typ: "at+jwt" })],
    ["whose VIN has an O", () => forge(issuer, claims({ sub: "WVWZZZOJZ3W386752" }))],
    ["whose VIN has 16 characters", () => forge(issuer, claims({ sub: "WVWZZZ1JZ3W38675" }))],
    ["whose VIN has 18 characters", () => forge(issuer, claims({ sub: "WVWZZZ1JZ3W3867522" }))],
    ["whose VIN has a wrong check digit", () => forge(issuer, claims({ sub: "5YJ3E1EA0KF000001" }))],
    ["whose VIN is in full-width characters", () => forge(issuer, claims({ sub: "ＷＶＷＺＺＺ１ＪＺ３Ｗ３８６７５２" }))],
    ["of 100 kB", () => "e".repeat(10_000)],
  ])("%s", async (_, makeToken) => {
    await unchanged(async () => {
      const answer = await world.ask(0, await makeToken());
      expect(problemOf(answer)).toMatchObject({ status: 401, code: "unauthenticated", retryable: false });
      expect(problemOf(answer).detail.length).toBeGreaterThan(10);
    });
  });
});

describe("an import reports each bad line and takes the good ones", () => {
  const bad = [
    ["I, O or Q", { vin: "WVWZZZIJZ3W386752" }, "vin_characters"],
    ["16 characters", { vin: "WVWZZZ1JZ3W38675" }, "vin_length"],
    ["18 characters", { vin: "WVWZZZ1JZ3W3867522" }, "vin_length"],
    ["a wrong check digit of North America", { vin: "1M8GDM9A0KP042788" }, "vin_check_digit"],
    ["a wrong check digit of China", { vin: "LRW3E7FAXLC012345" }, "vin_check_digit"],
    ["a wrong check digit for the market it is sold in", { vin: "WVWZZZ1JZ3W386752", market: "na" }, "vin_check_digit"],
    ["full-width characters", { vin: "ＷＶＷＺＺＺ１ＪＺ３Ｗ３８６７５２" }, "vin_characters"],
    ["lower case", { vin: "wvwzzz1jz3w386752" }, "vin_characters"],
    ["one character repeated", { vin: "11111111111111111" }, "vin_uniform"],
    ["no VIN", { zone: "eu" }, "validation_failed"],
    ["an unknown column", { vin: "WVWZZZ1JZ3W386752", colour: "red" }, "validation_failed"],
    ["a zone that is none", { vin: "WVWZZZ1JZ3W386752", zone: "EU!" }, "validation_failed"],
  ] as const;

  test("of NDJSON", async () => {
    const good = freshVin();
    const broken = ["{", '"text"', "[]", "null"];
    const lines = [...bad.map(([, line]) => JSON.stringify(line)), ...broken, JSON.stringify({ vin: good })];
    const reports = await world.importLines(lines.join("\n"));
    const errors = reports.filter(({ kind }) => kind === "error");
    expect(errors.slice(0, bad.length).map(({ line, code }) => [line, code])).toEqual(bad.map(([, , code], index) => [index + 1, code]));
    expect(errors.slice(bad.length).map(({ line }) => line)).toEqual(broken.map((_, index) => bad.length + index + 1));
    expect(reports.at(-1)).toMatchObject({ kind: "done", lines: lines.length, imported: 1, failed: lines.length - 1 });
    expect(await world.vehicle(good)).toMatchObject({ vin: good });
  });

  test("of CSV", async () => {
    const good = freshVin();
    const csv = ["vin,zone", "WVWZZZIJZ3W386752,eu", `${good},`, "a,b,c"];
    const reports = await world.importLines(csv.join("\n"), "text/csv");
    const errors = reports.filter(({ kind }) => kind === "error");
    expect(errors.map(({ line }) => line)).toEqual([2, 4]);
    expect(reports.at(-1)).toMatchObject({ kind: "done", imported: 1, failed: 2 });
    expect(await world.vehicle(good)).toMatchObject({ vin: good, zone: null });
  });

  test("of a type that is no import at all, nothing is taken", async () => {
    await unchanged(async () => {
      const response = await fetch(`${world.file.control}/v1/vehicles/import`, {
        method: "POST",
        headers: { Authorization: `Bearer ${world.file.adminToken}`, "Content-Type": "application/pdf" },
        body: "%PDF",
      });
      expect([response.status, response.headers.get("Content-Type")]).toEqual([415, "application/problem+json"]);
    });
  });
});

describe("administration refuses", () => {
  test.each<readonly [string, string, string, unknown, number, string]>([
    ["a patch that is no JSON object", "PATCH", "/v1/cells/cell-eu-1", [1], 422, "validation_failed"],
    ["a patch of an unknown member", "PATCH", "/v1/cells/cell-eu-1", { colour: "red" }, 422, "validation_failed"],
    ["a cell that does not exist", "PATCH", "/v1/cells/cell-nowhere", { weight: 2 }, 404, "not_found"],
    ["a vehicle that does not exist", "GET", "/v1/vehicles/WVWZZZ1JZ3W999999", undefined, 404, "not_found"],
    ["a vehicle that is none", "GET", "/v1/vehicles/WVW", undefined, 422, "validation_failed"],
    ["a path that does not exist", "GET", "/v1/nothing", undefined, 404, "not_found"],
  ])("%s", async (_, method, path, body, status, code) => {
    await unchanged(async () => {
      expect(problemOf(await world.admin(method, path, body))).toMatchObject({ status, code });
    });
  });

  test("a body that is no JSON", async () => {
    const response = await fetch(`${world.file.control}/v1/join-tokens`, {
      method: "POST",
      headers: { Authorization: `Bearer ${world.file.adminToken}`, "Content-Type": "application/json" },
      body: "{",
    });
    expect([response.status, await response.json()]).toMatchObject([400, { code: "bad_request" }]);
  });

  test.each(["", "Bearer ", "Bearer clv_wrong", "Basic YTpi"])("an administrator who sends %j", async (authorization) => {
    const response = await fetch(`${world.file.control}/v1/cells`, { headers: { Authorization: authorization } });
    expect([response.status, await response.json()]).toMatchObject([401, { code: "unauthenticated" }]);
  });
});

describe("a cell that joins", () => {
  const SUFFIX = "127.0.0.1";

  const joinToken = async (): Promise<string> => {
    const answer = await world.admin("POST", "/v1/join-tokens", { kind: "cell", region: "test", zone: null, endpointSuffixes: [SUFFIX] });
    expect(answer.status).toBe(201);
    return JoinTokenAnswer.parse(answer.body).token;
  };

  /** Nobody listens at these endpoints: the cell stays unproven and joining. */
  const register = (token: string, id: string, publicKey: PublicJwk, host = SUFFIX) =>
    world.admin("POST", "/v1/cells", {
      ...{ joinToken: token, id, publicKey, region: "test", zone: null, release: "1", capacity: { hardLimit: 1 } },
      endpoints: { mqtt: `mqtt://${host}:9`, mqttWs: null, https: `http://${host}:9` },
    });

  const newKey = async () => publicJwkOf(await generateSigningJwk("cell"));

  test("may repeat itself, but its token serves no other key", async () => {
    const [token, key] = [await joinToken(), await newKey()];
    expect((await register(token, "cell-late", key)).status).toBe(201);
    expect((await register(token, "cell-late", key)).status).toBe(200);
    await unchanged(async () => {
      expect(problemOf(await register(token, "cell-late", await newKey()))).toMatchObject({ status: 409, code: "join_token_used" });
    });
    expect(await world.admin("GET", "/v1/cells/cell-late")).toMatchObject({ body: { state: "joining", isProven: false } });
  });

  test.each(["evil.example.com", "127.0.0.1.evil.example.com", "10.0.0.1"])("may not name an endpoint at %s", async (host) => {
    const token = await joinToken();
    await unchanged(async () => {
      expect(problemOf(await register(token, "cell-evil", await newKey(), host))).toMatchObject({
        status: 422,
        code: "endpoint_not_allowed",
      });
    });
  });

  test("needs a token", async () => {
    await unchanged(async () => {
      expect(problemOf(await register("clvj_wrong", "cell-evil", await newKey()))).toMatchObject({ status: 401, code: "unauthenticated" });
    });
  });
});
