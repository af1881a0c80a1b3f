import { describe, expect, test } from "vitest";
import { commonNamesOf } from "../../router-worker/caller/distinguished-name.ts";
import { uriNamesOf } from "../../router-worker/caller/subject-alternative-names.ts";
import { createTestRouter, type TestRouter } from "./support/router.ts";
import { DEVICE_ISSUER, freshVin, KEYS, topologyOf } from "./support/world.ts";

/** `openssl req -x509`: subject CN=unit 7, O=urn:vin:WVWZZZ1JZXW000009; SAN a DNS name, a URL, and urn:vin:WVWZZZ1JZXW000001. */
const WITH_URI =
  "MIICCTCCAa6gAwIBAgIUCkiYGy9FFuiVUyHhaEPQSNQkhggwCgYIKoZIzj0EAwIwNTEiMCAGA1UECgwZdXJuOnZpbjpXVldaWloxSlpYVzAwMDAwOTEPMA0GA1UEAwwGdW5pdCA3MB4XDTI2MTEyMDExMTExMFoXDTM2MTExNzExMTExMFowNTEiMCAGA1UECgwZdXJuOnZpbjpXVldaWloxSlpYVzAwMDAwOTEPMA0GA1UEAwwGdW5pdCA3MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbbnP3SweyvUn4P89wbHwQsq9pjArUktk7FZvKa54A7tAFH7+2zKrGjGciuVUiJ4eIz+uRs0QTp1fMVgzehhyNqOBmzCBmDAdBgNVHQ4EFgQUhgrBo8vC5lWwGpKJhWR5Mhe2ZqIwHwYDVR0jBBgwFoAUhgrBo8vC5lWwGpKJhWR5Mhe2ZqIwDwYDVR0TAQH/BAUwAwEB/zBFBgNVHREEPjA8ggl4LmV4YW1wbGWGFGh0dHBzOi8vaWQuZXhhbXBsZS83hhl1cm46dmluOldWV1paWjFKWlhXMDAwMDAxMAoGCCqGSM49BAMCA0kAMEYCIQDqgmTSiQ4dKql6tdgzv7kLDOS7MH5Nnxx6yfr0Ze0ntwIhANzRTJEDHoDYlX4isPrhPbzfnE4vbQR/omlJCQ6B9Jzd";
/** Likewise, with two `urn:vin:` names. */
const WITH_TWO =
  "MIIBujCCAWCgAwIBAgIUWayF0n44OdYk5oAjgx6tk2LIoaQwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGdW5pdCA3MB4XDTI2MTEyMDExMTExMFoXDTM2MTExNzExMTExMFowETEPMA0GA1UEAwwGdW5pdCA3MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzKtQRVVBsdxibgq8rLoBt/apfqqOAM381B1NrjlRrRbeQjZVp4tnwFWc9K4BXOWPNC5PI6fsCwLDuooXasyFo6OBlTCBkjAdBgNVHQ4EFgQUzygdlRR6SLE/crl5SoCVETdMW54wHwYDVR0jBBgwFoAUzygdlRR6SLE/crl5SoCVETdMW54wDwYDVR0TAQH/BAUwAwEB/zA/BgNVHREEODA2hhl1cm46dmluOldWV1paWjFKWlhXMDAwMDAxhhl1cm46dmluOldWV1paWjFKWlhXMDAwMDAyMAoGCCqGSM49BAMCA0gAMEUCIQDKXKo9imP4QN7xtfz2xmS4LjW6+BfCP4DzTSAS3rblEwIgKVMpotec8YzdN8NXxNZACk8C5hDekAG1hl+lpygUqkM=";

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

describe("uriNamesOf", () => {
  test("reads the URIs among the alternative names and nothing else", () => {
    expect(uriNamesOf(bytesOf(WITH_URI))).toEqual(["https://id.example/7", "urn:vin:WVWZZZ1JZXW000001"]);
    expect(uriNamesOf(bytesOf(WITH_TWO))).toHaveLength(2);
  });

  test("cut off or garbled anywhere, it never throws and never invents a name", () => {
    const whole = bytesOf(WITH_URI);
    const names = new Set(uriNamesOf(whole));
    for (let length = 0; length < whole.length; length++) {
      for (const name of uriNamesOf(whole.subarray(0, length))) expect(names).toContain(name);
    }
    for (let at = 0; at < whole.length; at++) {
      const garbled = Uint8Array.from(whole);
      garbled[at] = 0xff;
      expect(() => uriNamesOf(garbled)).not.toThrow();
    }
  });
});

describe("commonNamesOf", () => {
  test.each([
    ["CN=WVWZZZ1JZXW000001,O=Fleet", ["WVWZZZ1JZXW000001"]],
    ["O=Fleet\\,CN=WVWZZZ1JZXW000009,CN=unit 7", ["unit 7"]],
    ['O="Fleet, CN=WVWZZZ1JZXW000009",CN=unit 7', ["unit 7"]],
    ["O=Fleet+CN=one,CN=two", ["one", "two"]],
    ["OU=CN=three", []],
    ["", []],
  ])("%s", (name, expected) => {
    expect(commonNamesOf(name)).toEqual(expected);
  });
});

const AUTHORITY = "CN=Fleet CA,O=Example";
const issuers = [{ issuer: AUTHORITY, kind: "device" as const, wmis: ["W"], keys: [] }];

const certificateOf = (change: Record<string, unknown>) => ({
  certPresented: "1",
  certVerified: "SUCCESS",
  certRevoked: "0",
  certIssuerDNRFC2253: AUTHORITY,
  certSubjectDNRFC2253: "CN=unit 7",
  certSerial: "0A",
  certFingerprintSHA256: "f".repeat(64),
  certNotAfter: "Nov 20 10:00:00 2027 GMT",
  certRFC9440: "",
  ...change,
});

/** A request as the platform hands it over, `cf` included. */
const askWith = (router: TestRouter, change: Record<string, unknown>) => {
  const request = new Request("https://router.example/v1/route");
  Object.defineProperty(request, "cf", { value: { tlsClientAuth: certificateOf(change) } });
  return router.app.request(request);
};

const setup = async (revoked: readonly string[] = []) => {
  const router = await createTestRouter({ topology: topologyOf({ issuers, revoked }) });
  const vin = freshVin();
  await router.assign(vin, "cell-a", 4);
  return { router, vin };
};

describe("I8: a vehicle with a client certificate", () => {
  test("is the VIN of its common name, or of its one urn:vin: URI", async () => {
    const { router, vin } = await setup();
    expect((await askWith(router, { certSubjectDNRFC2253: `CN=${vin},O=Fleet` })).status).toBe(200);
    const named = "WVWZZZ1JZXW000001" as typeof vin;
    await router.assign(named, "cell-b", 1);
    const byUri = await askWith(router, { certRFC9440: `:${WITH_URI}:`, certFingerprintSHA256: "a".repeat(64) });
    expect(await byUri.json()).toMatchObject({ cell: "cell-b" });
  });

  test("that was taken before is not taken again once the platform says it is revoked", async () => {
    const { router, vin } = await setup();
    const subject = { certSubjectDNRFC2253: `CN=${vin}` };
    expect((await askWith(router, subject)).status).toBe(200);
    expect((await askWith(router, { ...subject, certRevoked: "1" })).status).toBe(401);
  });

  test.each([
    ["revoked, although verified", { certRevoked: "1" }],
    ["not verified", { certVerified: "FAILED:self signed certificate" }],
    ["not presented", { certPresented: "0" }],
    ["of another authority", { certIssuerDNRFC2253: "CN=Other CA" }],
    ["expired", { certNotAfter: "Nov 20 09:59:59 2026 GMT" }],
    ["with an unreadable expiry", { certNotAfter: "" }],
    ["revoked by its serial in the topology", { certSerial: "BAD0" }],
    ["revoked by its fingerprint in the topology", { certFingerprintSHA256: "b".repeat(64) }],
    ["that names no VIN", { certSubjectDNRFC2253: "CN=unit 7" }],
    ["that names two VINs", { certRFC9440: `:${WITH_TWO}:`, certSubjectDNRFC2253: "CN=unit 7" }],
    ["whose URI and common name differ", { certRFC9440: `:${WITH_URI}:` }],
    ["of a maker the authority does not vouch for", { certSubjectDNRFC2253: `CN=${freshVin("SAJ")}` }],
  ])("%s: 401", async (_, change) => {
    const { router, vin } = await setup(["BAD0", "b".repeat(64)]);
    const response = await askWith(router, { certSubjectDNRFC2253: `CN=${vin}`, ...change });
    expect(response.status).toBe(401);
    expect(router.kv.state.reads.filter((key) => key.startsWith("r/"))).toEqual([]);
  });

  test("is not an issuer of tokens: no key of an authority verifies one", async () => {
    const keyed = [...issuers, { issuer: DEVICE_ISSUER, kind: "device" as const, wmis: ["W"], keys: [] }];
    const router = await createTestRouter({ topology: topologyOf({ issuers: keyed }) });
    const vin = freshVin();
    expect(KEYS.device.kid).toBeDefined();
    expect((await router.ask(vin)).status).toBe(401);
  });
});
