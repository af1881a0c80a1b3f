import type { PeerCertificate, TLSSocket } from "node:tls";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";

/** Who is at the other end: one vehicle, by its certificate, or a platform that still has to log in. */
export type Peer = { readonly kind: "vehicle"; readonly vin: Vin } | { readonly kind: "platform"; readonly address: string };
export type Stranger = { readonly kind: "stranger"; readonly reason: string };

export type PeerPolicy = {
  readonly isAllowedPlatform: (address: string) => boolean;
  /** By serial number or SHA-256 fingerprint, in hex. */
  readonly isRevoked: (id: string) => boolean;
};

const stranger = (reason: string): Stranger => ({ kind: "stranger", reason });

/** Common names and `urn:vin:` URIs. A name with a quote in it would have to be unescaped: it is no VIN. */
const namesOf = ({ subject, subjectaltname = "" }: PeerCertificate): string[] => [
  ...[subject.CN].flat().filter((name) => name !== undefined),
  ...subjectaltname.split(", ").flatMap((name) => /^URI:urn:vin:(.*)$/i.exec(name)?.[1] ?? []),
];

const identifiersOf = ({ serialNumber, fingerprint256 }: PeerCertificate): string[] => {
  const fingerprint = fingerprint256.replaceAll(":", "");
  return [serialNumber, fingerprint].flatMap((id) => [id, id.toLowerCase()]);
};

/** Names the peer of an established TLS connection. A certificate that does not hold is refused even at a platform's address. */
export const peerOf = (
  socket: Pick<TLSSocket, "authorized" | "getPeerCertificate" | "remoteAddress">,
  policy: PeerPolicy,
): Peer | Stranger => {
  const certificate = socket.getPeerCertificate();
  const isPresented = Object.keys(certificate).length > 0;
  if (!isPresented) {
    const address = socket.remoteAddress ?? "";
    return policy.isAllowedPlatform(address) ? { kind: "platform", address } : stranger("neither a certificate nor a platform's address");
  }
  if (!socket.authorized) return stranger("the certificate is not valid");
  if (identifiersOf(certificate).some(policy.isRevoked)) return stranger("the certificate was revoked");
  const [vin, ...others] = new Set(
    namesOf(certificate)
      .map((name) => parseVin(name))
      .filter(isVin),
  );
  return vin === undefined || others.length > 0 ? stranger("the certificate names no VIN, or more than one") : { kind: "vehicle", vin };
};
