import { TOPOLOGY_KEY } from "#schema/domain/route.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { listCells, markEndpointsPublished } from "../store/cells.ts";
import { listFailovers } from "../store/failovers.ts";
import { findPendingTopology, markTopologyPublished } from "../store/outbox.ts";
import { listPops } from "../store/pops.ts";
import { findInUse } from "../store/rule-sets.ts";
import { findLatestTopology, findLatestVersion, findPublishedTopology, insertTopology, markTopologyVersion } from "../store/topologies.ts";
import { buildTopology, decidePublication, saysTheSame } from "./build-topology.ts";
import type { PublishDeps } from "./port.ts";
import type { Progress } from "./publish-routes.ts";

/** The newest stored version when it says what is true now, else the next one; null when the guard holds it back. */
const nextDocument = async (deps: PublishDeps): Promise<Topology | null> => {
  const { database, config, logger } = deps;
  const built = buildTopology(await listCells(database), await listPops(database), await listFailovers(database), config);
  const active = (await findInUse(database)).find(({ state }) => state === "active");
  const content = { ...built, ruleSetVersion: active?.version ?? null };
  const latest = await findLatestTopology(database);
  if (latest !== null && saysTheSame(latest.document, content)) return latest.document;
  const published = await findPublishedTopology(database);
  const publication = decidePublication(published?.document ?? null, content, (latest?.version ?? 0) + 1);
  if (publication.kind === "publish") return publication.document;
  logger.error("topology held: it would take too many cells from the edge at once", { lost: publication.lost });
  return null;
};

/** After a lost lease: what the successor says goes over what was written here. */
const repairTopology = async (deps: PublishDeps, written: Topology): Promise<void> => {
  const truth = (await findPublishedTopology(deps.database))?.document;
  if (truth !== undefined && truth.version !== written.version) await deps.kv.put(TOPOLOGY_KEY, JSON.stringify(truth));
};

/** Publishes the topology when truth, or the configuration, says something new; a no-op otherwise. */
export const publishTopology = async (deps: PublishDeps, isConfigNew: boolean): Promise<Progress> => {
  const pending = await findPendingTopology(deps.database);
  const before = await findLatestVersion(deps.database);
  if (pending === null && !isConfigNew && before !== null && before.publishedAt !== null) return "idle";
  const document = await nextDocument(deps);
  const marks = pending === null ? [] : [markTopologyPublished(pending, deps.clock())];
  if (document === null) return (await deps.write(marks)).kind === "written" ? "idle" : "failed";
  if (document.version !== before?.version) {
    const stored = await deps.write([insertTopology(document, deps.clock())]);
    if (stored.kind !== "written") return "failed";
  } else if (before.publishedAt !== null) {
    return (await deps.write(marks)).kind === "written" ? "idle" : "failed";
  }
  if (!(await deps.holdsLease())) return "failed";
  await deps.kv.put(TOPOLOGY_KEY, JSON.stringify(document));
  const now = deps.clock();
  const endpoints = Object.entries(document.cells).map(([id, cell]) => ({ id, endpoints: JSON.stringify(cell.endpoints) }));
  const marked = await deps.write([...marks, markTopologyVersion(document.version, now), markEndpointsPublished(endpoints, now)]);
  if (marked.kind === "written") return "published";
  await repairTopology(deps, document);
  return "failed";
};
