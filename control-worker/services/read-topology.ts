import { AppError } from "#schema/api/error.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { findLatestTopology } from "../store/topologies.ts";

/** The newest topology, whether it has reached KV or not. */
export const readTopology = async (deps: Deps): Promise<Topology> => {
  const latest = await findLatestTopology(deps.database);
  if (latest === null) throw new AppError("busy", "no topology has been built yet");
  return latest.document;
};
