import type { Vin } from "#schema/domain/vin.ts";
import type { RouterDeps } from "./deps.ts";
import { serveOf, staleOf } from "./resolve.ts";
import type { HeldTopology } from "./topology-holder.ts";

export type Located = { readonly https: string; readonly epoch: number };

/** Where a vehicle that somebody else asks about is served; null when nothing is known of it. It is never placed for this. */
export const locate = async (deps: RouterDeps, held: HeldTopology, vin: Vin): Promise<Located | null> => {
  const lookup = await deps.resolving.store.find(await deps.keyer(vin));
  if (lookup.kind !== "found") return null;
  const inService = serveOf(lookup.record, held.topology);
  const { topology } = inService === null ? ((await deps.topology.pastCache()) ?? held) : held;
  const served = inService ?? staleOf(lookup.record, topology);
  const cell = served === null ? undefined : topology.cells[served.cell];
  return cell === undefined ? null : { https: cell.endpoints.https, epoch: lookup.record.epoch };
};
