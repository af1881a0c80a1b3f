import { createIssuerRing, type IssuerRing } from "#schema/crypto/device-token.ts";
import type { Topology } from "#schema/domain/topology.ts";

/** Whom this edge believes. The same generation as long as issuers and revocations are the same: what was verified under it stays verified. */
export type Trust = {
  readonly devices: IssuerRing;
  readonly owners: IssuerRing;
  readonly operators: IssuerRing;
  readonly revoked: ReadonlySet<string>;
  readonly fingerprint: string;
  /** Counts the changes: what remembers a trust remembers this number, and does not keep the rest alive. */
  readonly generation: number;
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
    generation: (known?.generation ?? 0) + 1,
  };
};
