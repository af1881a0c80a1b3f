import { generateKeyPairSync } from "node:crypto";
import { type AlternativeName, type Authority, issueCertificate } from "../../lab/tls/certificate.ts";

const HOUR_MS = 3_600_000;

export type Names = { readonly commonName: string; readonly alternativeNames?: readonly AlternativeName[] };
export type Identity = { readonly cert: string; readonly key: string };

const newKeyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A certificate authority of a test. */
export const createAuthority = (commonName: string) => {
  const { privateKey, publicKey } = newKeyPair();
  const authority: Authority = { commonName, privateKey };
  const validity = { notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + HOUR_MS) };
  return {
    certificate: issueCertificate({ ...validity, commonName, publicKey, isAuthority: true }, authority),
    issue(names: Names, more: Partial<typeof validity> = {}): Identity {
      const pair = newKeyPair();
      const cert = issueCertificate({ ...validity, ...more, ...names, publicKey: pair.publicKey }, authority);
      return { cert, key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
  };
};
