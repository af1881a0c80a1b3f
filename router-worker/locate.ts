import type { Vin } from "#schema/domain/vin.ts";
import type { RouterDeps } from "./deps.ts";
import { serveOf, staleOf } from "./resolve.ts";
import type { HeldTopology } from "./topology-holder.ts";

export type Located = { readonly https: string; readonly epoch: number };

/** Where a vehicle that somebody else asks about is served. It is never placed for this. */
export const locate = async (deps: RouterDeps, held: HeldTopology, vin: Vin): Promise<Located | "unknown" | "unreachable"> => {
  const lookup = await deps.resolving.store.find(await deps.keyer(vin));
  if (lookup.kind !== "found") return lookup.kind === "missing" ? "unknown" : "unreachable";
  const inService = serveOf(lookup.record, held.topology);
  const { topology } = inService === null ? ((await deps.topology.pastCache()) ?? held) : held;
  const served = inService ?? staleOf(lookup.record, topology);
  const cell = served === null ? undefined : topology.cells[served.cell];
  return cell === undefined ? "unreachable" : { https: cell.endpoints.https, epoch: lookup.record.epoch };
};
