import { type KeyObject, randomBytes, sign } from "node:crypto";
import { bits, type Der, explicit, implicit, integer, isTrue, objectId, octets, sequence, set, utcTime, utf8 } from "./der.ts";

export type AlternativeName = { readonly dns: string } | { readonly ipv4: string } | { readonly uri: string };
export type CertificateRequest = {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly alternativeNames?: readonly AlternativeName[];
  readonly isAuthority?: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
};
/** A P-256 key and the name it signs under. */
export type Authority = { readonly commonName: string; readonly privateKey: KeyObject };

const ECDSA_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));
const VERSION_3 = explicit(0, integer(Uint8Array.of(2)));

const nameOf = (commonName: string): Der => sequence(set(sequence(objectId("2.5.4.3"), utf8(commonName))));

const critical = (id: string, value: Der): Der => sequence(objectId(id), isTrue, octets(value));
const extension = (id: string, value: Der): Der => sequence(objectId(id), octets(value));

const generalName = (name: AlternativeName): Der => {
  if ("dns" in name) return implicit(2, Buffer.from(name.dns));
  if ("uri" in name) return implicit(6, Buffer.from(name.uri));
  return implicit(7, Uint8Array.from(name.ipv4.split(".").map(Number)));
};

const extensionsOf = ({ alternativeNames = [], isAuthority = false }: CertificateRequest): Der => {
  const keyUsage = isAuthority ? bits(Uint8Array.of(0b0000_0110), 1) : bits(Uint8Array.of(0b1000_0000), 7);
  return sequence(
    critical("2.5.29.19", isAuthority ? sequence(isTrue) : sequence()),
    critical("2.5.29.15", keyUsage),
    ...(alternativeNames.length > 0 ? [extension("2.5.29.17", sequence(...alternativeNames.map(generalName)))] : []),
  );
};

const pem = (label: string, der: Der): string => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
};

/** An X.509 version 3 certificate (RFC 5280) as PEM, signed by the authority. */
export const issueCertificate = (request: CertificateRequest, by: Authority): string => {
  const serial = Buffer.concat([Uint8Array.of(1), randomBytes(15)]);
  const content = sequence(
    VERSION_3,
    integer(serial),
    ECDSA_SHA256,
    nameOf(by.commonName),
    sequence(utcTime(request.notBefore), utcTime(request.notAfter)),
    nameOf(request.commonName),
    request.publicKey.export({ type: "spki", format: "der" }),
    explicit(3, extensionsOf(request)),
  );
  return pem("CERTIFICATE", sequence(content, ECDSA_SHA256, bits(sign("sha256", content, by.privateKey))));
};
