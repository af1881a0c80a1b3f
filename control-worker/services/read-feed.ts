import type { FeedPage, FeedRecord } from "#schema/api/feed.ts";
import type { Topology } from "#schema/domain/topology.ts";
import type { Deps } from "../deps.ts";
import { listAssignments } from "../store/assignments.ts";
import { listAllChanges, readFeedPosition } from "../store/changes.ts";
import { findPublishedTopology } from "../store/topologies.ts";
import { encodeSyncCursor, readSyncCursor, type SyncPosition } from "./sync-cursor.ts";

const PAGE = 5_000;

/** A page as it goes out: the topology is the domain's own. */
export type FeedAnswer = Omit<FeedPage, "topology"> & { readonly topology?: Topology };

type Records = Pick<FeedPage, "records" | "hasMore"> & { readonly next: SyncPosition };

const snapshotRecords = async (deps: Deps, position: SyncPosition & { kind: "snapshot" }): Promise<Records> => {
  const rows = await listAssignments(deps.database, position.afterVin, PAGE + 1);
  const page = rows.slice(0, PAGE);
  const hasMore = rows.length > PAGE;
  const afterVin = page.at(-1)?.vin ?? position.afterVin;
  const records = page.map(({ vinKey, cell, epoch }): FeedRecord => [vinKey, cell, epoch]);
  return { records, hasMore, next: hasMore ? { ...position, afterVin } : { kind: "increments", seq: position.seq } };
};

const incrementRecords = async (deps: Deps, position: SyncPosition): Promise<Records> => {
  const rows = await listAllChanges(deps.database, position.seq, PAGE + 1);
  const page = rows.slice(0, PAGE);
  const records = page.map(({ vinKey, owner, epoch }): FeedRecord => [vinKey, owner, epoch]);
  return { records, hasMore: rows.length > PAGE, next: { kind: "increments", seq: page.at(-1)?.seq ?? position.seq } };
};

/** The change feed of self-hosted POPs from a cursor on; null when a POP that holds this cursor and topology version misses nothing. */
export const readFeed = async (deps: Deps, from: string | null, topologyVersion: number): Promise<FeedAnswer | null> => {
  const feed = await readFeedPosition(deps.database);
  const position = readSyncCursor(from, feed);
  const isSnapshot = position.kind === "snapshot";
  const { records, hasMore, next } = isSnapshot ? await snapshotRecords(deps, position) : await incrementRecords(deps, position);
  const topology = (await findPublishedTopology(deps.database))?.document;
  const isTopologyNew = topology !== undefined && topology.version !== topologyVersion;
  if (!isSnapshot && records.length === 0 && !isTopologyNew) return null;
  return { from, cursor: encodeSyncCursor(feed.timeline, next), hasMore, isSnapshot, records, ...(isTopologyNew && { topology }) };
};
