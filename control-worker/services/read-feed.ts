import type { FeedPage, FeedRecord } from "#schema/api/feed.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { findPublishedTopology } from "../store/topologies.ts";
import { readPage } from "./read-page.ts";

const PAGE = 5_000;

/** A page as it goes out: the topology is the domain's own. */
export type FeedAnswer = Omit<FeedPage, "topology"> & { readonly topology?: Topology };

/** The change feed of self-hosted POPs from a cursor on; null when a POP that holds this cursor and topology version misses nothing. */
export const readFeed = async (deps: Deps, from: string | null, topologyVersion: number): Promise<FeedAnswer | null> => {
  const { rows, cursor, hasMore, isSnapshot } = await readPage(deps, { cell: null, limit: PAGE }, from);
  const topology = (await findPublishedTopology(deps.database))?.document;
  const isTopologyNew = topology !== undefined && topology.version !== topologyVersion;
  if (!isSnapshot && rows.length === 0 && !isTopologyNew) return null;
  const records = rows.map(({ vinKey, owner, epoch }): FeedRecord => [vinKey, owner, epoch]);
  return { from, cursor, hasMore, isSnapshot, records, ...(isTopologyNew && { topology }) };
};
