import { cellsLost, guardTopology, type Topology, type TopologyCell, type TrustedIssuer } from "#schema/domain/topology.ts";
import type { Config } from "../config.ts";
import type { CellRow } from "../store/cells.ts";
import type { FailoverRow } from "../store/failovers.ts";
import type { PopRow } from "../store/pops.ts";

export type TopologyContent = Omit<Topology, "version" | "force" | "forcedVersion">;

const toTopologyCell = (row: CellRow): TopologyCell => ({
  state: row.state,
  health: row.health,
  region: row.region,
  zone: row.zone,
  endpoints: row.endpoints,
  standby: row.standby,
  keys: [row.publicKey],
});

/** While vehicles return, the edge sends them to their owner again. */
const toFailover = ({ cell, standby, term, phase }: FailoverRow): Topology["failovers"] =>
  phase === "failed_over" && standby !== null ? [{ cell, standby, term }] : [];

const toIssuer = ({ issuer, kind, wmis, keys }: Config["issuers"][number]): TrustedIssuer => ({ issuer, kind, wmis, keys });

/** The topology's content from truth: cells that proved their endpoint, POPs, and what is configured. */
export const buildTopology = (
  cells: readonly CellRow[],
  pops: readonly PopRow[],
  failovers: readonly FailoverRow[],
  config: Pick<Config, "issuers" | "allowedHosts">,
): TopologyContent => ({
  v: 1,
  cells: Object.fromEntries(cells.filter((row) => row.isProven && row.state !== "retired").map((row) => [row.id, toTopologyCell(row)])),
  failovers: failovers.flatMap(toFailover).filter(({ cell }) => cells.some(({ id, state }) => id === cell && state !== "retired")),
  issuers: config.issuers.map(toIssuer),
  popKeys: Object.fromEntries(pops.map((row) => [row.id, [row.publicKey]])),
  allowedHosts: config.allowedHosts,
  revoked: [],
  ruleSetVersion: null,
});

const canonical = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  );
};

/** Whether a document already says this; its version and whether it was forced aside. */
export const saysTheSame = ({ version: _, force: __, forcedVersion: ___, ...known }: Topology, content: TopologyContent): boolean =>
  JSON.stringify(canonical(known)) === JSON.stringify(canonical(content));

export type Publication =
  | { readonly kind: "publish"; readonly document: Topology }
  | { readonly kind: "hold"; readonly lost: readonly string[] };

/**
 * The next version, or a hold when it would take too many cells from the edge at once (design §4.4). One single lost cell, and every failover, is
 * published by force: small fleets lose more than the guard's share with it.
 */
export const decidePublication = (published: Topology | null, content: TopologyContent, version: number): Publication => {
  const document: Topology = {
    ...content,
    version,
    force: false,
    ...(published?.forcedVersion !== undefined && { forcedVersion: published.forcedVersion }),
  };
  if (published === null || guardTopology(published, document).kind === "accept") return { kind: "publish", document };
  const lost = cellsLost(published, document);
  // A failover was decided under a hold rule of its own, or by an operator.
  const unexplained = lost.filter((id) => document.failovers.every(({ cell }) => cell !== id));
  if (unexplained.length > 1) return { kind: "hold", lost: unexplained };
  return { kind: "publish", document: { ...document, force: true, forcedVersion: version } };
};
