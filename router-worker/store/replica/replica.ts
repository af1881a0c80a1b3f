import type { FeedPage } from "#schema/api/feed.ts";
import type { Clock } from "../../clock.ts";
import type { ReplicaSnapshot } from "./replica-file.ts";
import { createReplicaTable, type ReplicaTable } from "./replica-table.ts";

/** A POP's whole copy of the routing data and how far along the feed it is. */
export type Replica = {
  readonly table: ReplicaTable;
  cursor(): string | null;
  topologyText(): string | null;
  topologyVersion(): number;
  /** Whether the copy has been whole at some time: a snapshot ended, or the file held one. */
  isComplete(): boolean;
  /** Milliseconds since the feed last answered, a restart in between included; null before its first answer. */
  stalenessMs(): number | null;
  /** What the file keeps; null while a snapshot is on its way: only this process can end it. */
  snapshot(): ReplicaSnapshot | null;
  /** Counts changes, so that an unchanged copy is not saved again. */
  revision(): number;
  /** Takes the next page; `gap` means that it does not continue this copy. */
  apply(page: FeedPage): "applied" | "gap";
  /** The feed answered that nothing is new. */
  confirm(): void;
  /** Asks for a snapshot next; what is held goes on serving until that snapshot has ended. */
  restart(): void;
};

const versionOf = (topologyText: string | null): number =>
  topologyText === null ? 0 : (JSON.parse(topologyText) as { readonly version: number }).version;

const applyRecords = (table: ReplicaTable, page: FeedPage): void => {
  for (const [vinKey, cell, epoch] of page.records) {
    // Increments may repeat, or be older than what control itself said since; a snapshot is the truth of its moment.
    const isOlder = !page.isSnapshot && (table.get(vinKey)?.epoch ?? 0) > epoch;
    if (isOlder) continue;
    if (cell === null) table.delete(vinKey);
    else table.put(vinKey, { cell, epoch });
  }
};

/** A replica that starts from its last-known-good file, or empty. */
export const createReplica = (clock: Clock, saved: ReplicaSnapshot | null): Replica => {
  const table = saved?.table ?? createReplicaTable();
  let cursor = saved?.cursor ?? null;
  let topologyText = saved?.topology ?? null;
  let topologyVersion = versionOf(topologyText);
  let isComplete = saved !== null;
  let isSnapshotRunning = false;
  let confirmedAtMs = saved?.confirmedAtMs ?? null;
  let revision = 0;

  const confirm = (): void => {
    confirmedAtMs = clock.now();
  };

  return {
    table,
    cursor: () => cursor,
    topologyText: () => topologyText,
    topologyVersion: () => topologyVersion,
    isComplete: () => isComplete,
    stalenessMs: () => (confirmedAtMs === null ? null : Math.max(0, clock.now() - confirmedAtMs)),
    revision: () => revision,
    snapshot: () =>
      cursor === null || confirmedAtMs === null || isSnapshotRunning ? null : { table, cursor, confirmedAtMs, topology: topologyText },
    confirm,
    restart() {
      cursor = null;
    },
    apply(page) {
      if (page.from !== cursor) return "gap";
      if (page.isSnapshot && page.from === null) {
        table.beginSnapshot();
        isSnapshotRunning = true;
      }
      applyRecords(table, page);
      if (page.isSnapshot && !page.hasMore) {
        table.endSnapshot();
        isSnapshotRunning = false;
        isComplete = true;
      }
      if (page.topology !== undefined) {
        topologyText = JSON.stringify(page.topology);
        topologyVersion = page.topology.version;
      }
      if (page.cursor !== cursor || page.topology !== undefined) revision += 1;
      cursor = page.cursor;
      confirm();
      return "applied";
    },
  };
};
