import type { RouteAnswer } from "#schema/api/route.ts";
import type { CellId, Endpoints } from "#schema/domain/cell.ts";
import type { PublicJwk, Topology } from "#schema/domain/topology.ts";
import type { Served } from "./resolve.ts";

/** The members of an answer that are one vehicle's own; the others are the same for all vehicles of a cell. */
type OwnMember = "epoch" | "ticket" | "expiresAt" | "ttlSeconds" | "reason";

/** The endpoints of a cell that was decided for, and is therefore in the topology. */
export const endpointsOf = (topology: Topology, id: CellId): Endpoints => {
  const cell = topology.cells[id];
  if (cell === undefined) throw new Error(`decided for ${id}, which the topology does not have`);
  return cell.endpoints;
};

/** The keys with which a command to this vehicle may be signed: owner, cell and standby, each once. */
const commandKeysOf = (topology: Topology, cells: readonly (CellId | null)[]): PublicJwk[] => {
  const ids = new Set(cells.filter((id) => id !== null));
  return [...ids].flatMap((id) => topology.cells[id]?.keys ?? []);
};

const sharedText = (topology: Topology, { owner, cell, standby }: Served): string =>
  JSON.stringify({
    cell,
    endpoints: endpointsOf(topology, cell),
    standby: standby === null ? null : { cell: standby, endpoints: endpointsOf(topology, standby) },
    topologyVersion: topology.version,
    allowedHosts: [...topology.allowedHosts],
    commandKeys: { keys: commandKeysOf(topology, [owner, cell, standby]) },
  } satisfies Omit<RouteAnswer, OwnMember>);

/** Writes answers as JSON. What all vehicles of a cell are told alike is written once per topology. */
export const createBodyWriter = () => {
  const written = new WeakMap<Topology, Map<string, string>>();
  const sharedOf = (topology: Topology, served: Served): string => {
    const texts = written.get(topology) ?? new Map<string, string>();
    written.set(topology, texts);
    const key = `${served.owner} ${served.cell} ${served.standby}`;
    const text = texts.get(key) ?? sharedText(topology, served);
    texts.set(key, text);
    return text;
  };
  return (topology: Topology, served: Served, own: Pick<RouteAnswer, OwnMember>): string =>
    `${sharedOf(topology, served).slice(0, -1)},${JSON.stringify(own).slice(1)}`;
};
