import type { CellView } from "#schema/api/sync.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Topology } from "#schema/domain/topology.ts";

/** What one cell must know of the topology to serve alone. */
export const cutView = (topology: Topology, cell: CellId): CellView => {
  const entries = Object.entries(topology.cells) as [CellId, Topology["cells"][string]][];
  return {
    version: topology.version,
    popKeys: topology.popKeys as CellView["popKeys"],
    issuers: topology.issuers as CellView["issuers"],
    revoked: [...topology.revoked],
    endpoints: Object.fromEntries(entries.map(([id, other]) => [id, other.endpoints])),
    standby: topology.cells[cell]?.standby ?? null,
    standbyFor: entries.filter(([, other]) => other.standby === cell).map(([id]) => id),
    failedOver: topology.failovers.filter((failover) => failover.standby === cell).map(({ cell: id, term }) => ({ cell: id, term })),
    cellKeys: Object.fromEntries(entries.map(([id, other]) => [id, [...other.keys]])),
  };
};
