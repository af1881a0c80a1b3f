import * as z from "zod";
import { type Refused, refused } from "#schema/crypto/jwt.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { isWmiCovered } from "#schema/domain/wmi.ts";
import type { Trust } from "../trust.ts";
import { commonNamesOf } from "./distinguished-name.ts";
import { uriNamesOf } from "./subject-alternative-names.ts";

/** What the platform says of a client certificate (`request.cf.tlsClientAuth`): strings, whatever they mean. */
const TlsClientAuth = z.object({
  certPresented: z.literal("1"),
  certVerified: z.string(),
  certRevoked: z.string(),
  certIssuerDNRFC2253: z.string(),
  certSubjectDNRFC2253: z.string(),
  certSerial: z.string(),
  certFingerprintSHA256: z.string().min(64),
  certNotAfter: z.string(),
  certRFC9440: z.string().default(""),
});
export type ClientCertificate = z.infer<typeof TlsClientAuth>;

const URI_SCHEME = /^urn:vin:/i;

/** The client certificate of a request on Workers; null without one, and on every runtime that terminates no TLS for us. */
export const clientCertificateOf = (request: Request): ClientCertificate | null => {
  const { cf } = request as { readonly cf?: { readonly tlsClientAuth?: unknown } };
  return TlsClientAuth.safeParse(cf?.tlsClientAuth).data ?? null;
};

/** RFC 9440 §2: the DER between colons, in base64. */
const derOf = (header: string): Uint8Array => {
  const base64 = /^:([A-Za-z0-9+/=]+):$/.exec(header)?.[1] ?? "";
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
};

/** Every VIN that a certificate names, in its common name or as a `urn:vin:` URI. */
const namedVins = (certificate: ClientCertificate): Set<Vin> => {
  const uris = uriNamesOf(derOf(certificate.certRFC9440)).filter((uri) => URI_SCHEME.test(uri));
  const names = [...commonNamesOf(certificate.certSubjectDNRFC2253), ...uris.map((uri) => uri.replace(URI_SCHEME, ""))];
  return new Set(names.map((name) => parseVin(name)).filter(isVin));
};

export type VerifiedCertificate = {
  readonly kind: "verified";
  readonly vin: Vin;
  readonly issuer: string;
  readonly expiresAtSeconds: number;
};

/** Whether the platform vouches for the certificate: "SUCCESS" alone is said of revoked ones as well. */
export const isVouchedFor = ({ certVerified, certRevoked }: ClientCertificate): boolean =>
  certVerified === "SUCCESS" && certRevoked === "0";

/**
 * Reads the vehicle off a client certificate: verified by the platform, issued by a trusted authority (the device issuer of that RFC 2253 name) that vouches
 * for the maker, not revoked by serial or fingerprint, and naming exactly one VIN.
 */
export const verifyClientCertificate = (certificate: ClientCertificate, trust: Trust, nowMs: number): VerifiedCertificate | Refused => {
  if (!isVouchedFor(certificate)) return refused("signature", "the client certificate is not verified, or revoked");
  const issuer = trust.devices.get(certificate.certIssuerDNRFC2253);
  if (issuer === undefined) return refused("issuer", "no trusted authority issued this certificate");
  const { certSerial, certFingerprintSHA256 } = certificate;
  if ([certSerial, certFingerprintSHA256].some((id) => trust.revoked.has(id))) return refused("revoked", "the credential was revoked");
  const expiresAtMs = Date.parse(certificate.certNotAfter);
  if (!(expiresAtMs > nowMs)) return refused("expired", "the client certificate has expired");
  const [vin, ...others] = namedVins(certificate);
  if (vin === undefined || others.length > 0) return refused("claims", "the client certificate names no VIN, or more than one");
  if (!isWmiCovered(vin, issuer.trust.wmis)) return refused("issuer", "the authority does not vouch for this manufacturer");
  return { kind: "verified", vin, issuer: issuer.trust.issuer, expiresAtSeconds: Math.floor(expiresAtMs / 1000) };
};
