import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { parseTopology, type TopologyDocument } from "#schema/api/topology.ts";
import { generateSigningJwk, publicJwkOf } from "#schema/crypto/keys.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { cell, topology } from "../domain/samples.ts";

/** Compiles only while the document that is parsed is the domain's own. */
const asTopology = (document: z.infer<typeof TopologyDocument>): Topology => document;

const full = async (): Promise<Topology> => {
  const key = publicJwkOf(await generateSigningJwk("cell-a"));
  return {
    ...topology(["cell-a", "cell-b"], { "cell-a": { standby: cell("cell-b"), keys: [key], zone: "eu" } }),
    failovers: [{ cell: cell("cell-a"), standby: cell("cell-b"), term: 2 }],
    issuers: [{ issuer: "https://identity.example.com", kind: "device", wmis: ["WVW", ""], keys: [key] }],
    popKeys: { "pop-1": [key] },
    revoked: ["token-1"],
    ruleSetVersion: 3,
  };
};

const asPublished = (document: unknown): unknown => JSON.parse(JSON.stringify(document));

describe("the topology document", () => {
  test("that the domain can express is read back as it was", async () => {
    const document = await full();
    expect(parseTopology(asPublished(document))).toEqual(document);
    expect(asTopology(document as z.infer<typeof TopologyDocument>)).toEqual(document);
  });

  test("may gain members that this edge does not know yet", async () => {
    const document = await full();
    expect(parseTopology({ ...document, later: true })).toEqual(document);
  });

  test.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["another schema version", { v: 2 }],
    ["no version", { version: undefined }],
    ["version 0", { version: 0 }],
    ["no cells", { cells: undefined }],
    ["cells as a list", { cells: [] }],
    ["a cell of an unknown state", { cells: { "cell-a": { ...topology(["cell-a"]).cells["cell-a"], state: "asleep" } } }],
    ["a cell without endpoints", { cells: { "cell-a": { ...topology(["cell-a"]).cells["cell-a"], endpoints: undefined } } }],
    [
      "an endpoint that is no URL",
      { cells: { "cell-a": { ...topology(["cell-a"]).cells["cell-a"], endpoints: { mqtt: "x", mqttWs: null, https: "y" } } } },
    ],
    ["an issuer with a private key", { issuers: [{ issuer: "i", kind: "device", wmis: [], keys: [privateKey()] }] }],
    ["an issuer with an RSA key", { issuers: [{ issuer: "i", kind: "device", wmis: [], keys: [{ kty: "RSA", kid: "k", n: "", e: "" }] }] }],
    ["an issuer bound to more than a manufacturer code", { issuers: [{ issuer: "i", kind: "device", wmis: ["WVWZ"], keys: [] }] }],
    ["a revocation list without bound", { revoked: Array.from({ length: 10_001 }, String) }],
    ["no force", { force: undefined }],
  ])("with %s is refused", async (_, changes) => {
    expect(parseTopology(asPublished({ ...(await full()), ...changes }))).toBeNull();
  });

  test.each([null, "text", 1, [], {}])("%j is none", (document) => {
    expect(parseTopology(document)).toBeNull();
  });
});

function privateKey() {
  const coordinate = "A".repeat(43);
  return { kty: "OKP", crv: "Ed25519", kid: "k", x: coordinate, d: coordinate };
}
