import { createIssuerRing, type IssuerRing } from "#schema/crypto/device-token.ts";
import type { Topology } from "#schema/domain/topology.ts";

/** Whom this edge believes. The same object as long as issuers and revocations are the same: what was verified under it stays verified. */
export type Trust = {
  readonly devices: IssuerRing;
  readonly owners: IssuerRing;
  readonly operators: IssuerRing;
  readonly revoked: ReadonlySet<string>;
  readonly fingerprint: string;
};

/** The trust of a topology; `known` itself when nothing in it has changed. */
export const trustOf = ({ issuers, revoked }: Topology, known: Trust | null): Trust => {
  const fingerprint = JSON.stringify([issuers, revoked]);
  if (known?.fingerprint === fingerprint) return known;
  return {
    devices: createIssuerRing(issuers, "device"),
    owners: createIssuerRing(issuers, "owner"),
    operators: createIssuerRing(issuers, "operator"),
    revoked: new Set(revoked),
    fingerprint,
  };
};
