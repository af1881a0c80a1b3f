import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { CellRegistration, JoinTokenRequest } from "#schema/api/cells.ts";
import { CommandRequest } from "#schema/api/commands.ts";
import {
  CellIdField,
  EndpointsField,
  EpochField,
  PublicJwkField,
  TimeField,
  VinField,
  VinKeyField,
  ZoneField,
} from "#schema/api/fields.ts";
import { SyncRequest } from "#schema/api/sync.ts";
import { ImportLine, VehiclePatch } from "#schema/api/vehicles.ts";
import { vinKey } from "../domain/samples.ts";

const fits = (schema: z.ZodType, input: unknown): boolean => schema.safeParse(input).success;

describe.each<readonly [string, z.ZodType, readonly unknown[], readonly unknown[]]>([
  ["VIN", VinField, ["WVWZZZ1JZ3W386752"], ["wvwzzz1jz3w386752", "WVW", 1, null, "1M8GDM9A0KP042788"]],
  ["cell id", CellIdField, ["cell-eu-1"], ["Cell", "", null, "a b"]],
  ["vinKey", VinKeyField, [vinKey(1)], ["short", `${vinKey(1)}=`, null]],
  ["zone", ZoneField, ["eu", "cn-north"], ["", "EU", "1eu", "a".repeat(33)]],
  ["epoch", EpochField, [1, 2 ** 53 - 1], [0, -1, 1.5, 2 ** 53, "1"]],
  ["time", TimeField, ["2026-11-20T12:00:00Z", "2026-11-20T12:00:00.123Z"], ["2026-11-20", "2026-11-20T12:00:00+01:00", "now", 0]],
  [
    "endpoints",
    EndpointsField,
    [{ mqtt: "mqtts://c.example.com:8883", mqttWs: null, https: "https://c.example.com" }],
    [
      { mqtt: "mqtts://c.example.com:8883", https: "https://c.example.com" },
      { mqtt: "c.example.com", mqttWs: null, https: "https://c.example.com" },
    ],
  ],
])("%s", (_, schema, good, bad) => {
  test.each(good)("%j fits", (input) => expect(fits(schema, input)).toBe(true));
  test.each(bad)("%j does not", (input) => expect(fits(schema, input)).toBe(false));
});

describe("a public key", () => {
  const publicKeyOf = async (alg: string, options = {}) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
    return { publicJwk: { ...(await exportJWK(publicKey)), kid: "k" }, privateJwk: { ...(await exportJWK(privateKey)), kid: "k" } };
  };

  test.each([
    ["EdDSA", true],
    ["ES256", true],
    ["ES384", false],
    ["RS256", false],
  ])("for %s fits: %s", async (alg, isAccepted) => {
    expect(fits(PublicJwkField, (await publicKeyOf(alg)).publicJwk)).toBe(isAccepted);
  });

  test.each(["EdDSA", "ES256"])("for %s with its private half, without a kid or cut short does not fit", async (alg) => {
    const { publicJwk, privateJwk } = await publicKeyOf(alg);
    expect(fits(PublicJwkField, privateJwk)).toBe(false);
    expect(fits(PublicJwkField, { ...publicJwk, kid: undefined })).toBe(false);
    expect(fits(PublicJwkField, { ...publicJwk, x: "AAAA" })).toBe(false);
  });
});

describe("requests", () => {
  test("a join token defaults to one hour, no zone and an operator's approval", () => {
    expect(JoinTokenRequest.parse({ kind: "cell" })).toEqual({
      kind: "cell",
      zone: null,
      endpointSuffixes: [],
      expiresInSeconds: 3600,
      autoApprove: false,
    });
  });

  test.each<readonly [string, z.ZodType, unknown]>([
    ["a join token for ever", JoinTokenRequest, { kind: "cell", expiresInSeconds: 10 ** 9 }],
    ["a join token for an empty suffix", JoinTokenRequest, { kind: "cell", endpointSuffixes: [""] }],
    ["a registration without a key", CellRegistration, { joinToken: "t", id: "cell-a", region: "r", zone: null, release: "1" }],
    ["a patch of an unknown member", VehiclePatch, { colour: "red" }],
    ["a patch of the VIN", VehiclePatch, { vin: "WVWZZZ1JZ3W386752" }],
    ["an import line with an unknown column", ImportLine, { vin: "WVWZZZ1JZ3W386752", colour: "red" }],
    ["an import line without a VIN", ImportLine, { zone: "eu" }],
    ["a command that outlives a day", CommandRequest, { type: "horn", expiresInSeconds: 86_401 }],
    ["a command with a type that could be a topic", CommandRequest, { type: "a/b" }],
    ["a command with a member too many", CommandRequest, { type: "horn", now: true }],
    ["a sync with incarnation 0", SyncRequest, { observed: { incarnation: 0, release: "1", health: "ok" }, cursor: null }],
    [
      "a sync without bound",
      SyncRequest,
      { observed: { incarnation: 1, release: "1", health: "ok", reports: Array(1_001).fill({}) }, cursor: null },
    ],
  ])("%s is refused", (_, schema, input) => {
    expect(fits(schema, input)).toBe(false);
  });
});
