import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueCertificate } from "./certificate.ts";

export type TlsFiles = { readonly ca: string; readonly certificate: string; readonly key: string };

const DAY_MS = 24 * 3600 * 1000;
/** What Apple's clients accept at most of a server certificate, and long enough for a lab. */
const LIFETIME_DAYS = 825;
const CA_NAME = "Cloverleaf lab CA";

const writeKey = (path: string, key: KeyObject): void => writeFileSync(path, key.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });

/** The lab's own certificate authority and a server certificate for the loopback, made at the first start (PEM files). */
export const ensureTls = (folder: string, nowMs: number): TlsFiles => {
  const files = { ca: join(folder, "ca.pem"), certificate: join(folder, "server.pem"), key: join(folder, "server-key.pem") };
  if (existsSync(files.key)) return files;
  mkdirSync(folder, { recursive: true });
  const validity = { notBefore: new Date(nowMs - DAY_MS), notAfter: new Date(nowMs + LIFETIME_DAYS * DAY_MS) };
  const ca = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const authority = { commonName: CA_NAME, privateKey: ca.privateKey };
  const alternativeNames = [{ dns: "localhost" }, { ipv4: "127.0.0.1" }];
  writeFileSync(files.ca, issueCertificate({ ...validity, commonName: CA_NAME, publicKey: ca.publicKey, isAuthority: true }, authority));
  writeKey(join(folder, "ca-key.pem"), ca.privateKey);
  writeFileSync(
    files.certificate,
    issueCertificate({ ...validity, commonName: "localhost", publicKey: server.publicKey, alternativeNames }, authority),
  );
  writeKey(files.key, server.privateKey);
  return files;
};
