import { AppError } from "#schema/api/error.ts";
import type { AssignmentChange, SyncAnswer, SyncRequest } from "#schema/api/sync.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { listAssignmentsOf } from "../store/assignments.ts";
import type { CellRow } from "../store/cells.ts";
import { listChanges, readFeedPosition } from "../store/changes.ts";
import { findLatestTopology } from "../store/topologies.ts";
import { toError } from "./commit.ts";
import { cutView } from "./cut-view.ts";
import { requireCell } from "./require.ts";
import { encodeSyncCursor, readSyncCursor, type SyncPosition } from "./sync-cursor.ts";

const PAGE = 1_000;

type FeedPage = Pick<SyncAnswer, "changes" | "hasMore" | "isSnapshot"> & { readonly next: SyncPosition };

const snapshotPage = async (deps: Deps, cell: CellId, position: SyncPosition & { kind: "snapshot" }): Promise<FeedPage> => {
  const rows = await listAssignmentsOf(deps.database, cell, position.afterVin, PAGE + 1);
  const page = rows.slice(0, PAGE);
  const hasMore = rows.length > PAGE;
  const afterVin = page.at(-1)?.vin ?? position.afterVin;
  const next: SyncPosition = hasMore ? { ...position, afterVin } : { kind: "increments", seq: position.seq };
  return { changes: page, hasMore, isSnapshot: true, next };
};

const incrementPage = async (deps: Deps, cell: CellId, position: SyncPosition): Promise<FeedPage> => {
  const rows = await listChanges(deps.database, cell, position.seq, PAGE + 1);
  const page = rows.slice(0, PAGE);
  const changes = page.map(({ vinKey, vin, epoch, owner }): AssignmentChange => ({ vinKey, vin, epoch, cell: owner }));
  const seq = page.at(-1)?.seq ?? position.seq;
  return { changes, hasMore: rows.length > PAGE, isSnapshot: false, next: { kind: "increments", seq } };
};

const announce = async (deps: Deps, cell: CellRow, observed: SyncRequest["observed"]): Promise<void> => {
  const { incarnation, release, health, metrics } = observed;
  const known = { knownIncarnation: cell.incarnation, knownRelease: cell.release };
  const outcome = await deps.ledger.contact({ cell: cell.id, incarnation, release, health, metrics, ...known });
  if (outcome.kind === "refused") throw toError(outcome);
  if (outcome.kind === "accepted") return;
  deps.logger.error("cell quarantined", { cell: cell.id, incarnation, known: outcome.incarnation });
  const detail = `quarantined: incarnation ${incarnation} is lower than ${outcome.incarnation}, which was seen: a clone or a restored disk`;
  throw new AppError("conflict", detail);
};

/** One sync of a cell: takes what it observed, answers what it should be and what changed for it. Writes nothing when nothing is new. */
export const syncCell = async (deps: Deps, id: CellId, request: SyncRequest): Promise<SyncAnswer> => {
  const cell = await requireCell(deps, id);
  await announce(deps, cell, request.observed);
  const feed = await readFeedPosition(deps.database);
  const position = readSyncCursor(request.cursor, feed);
  const page = position.kind === "snapshot" ? await snapshotPage(deps, id, position) : await incrementPage(deps, id, position);
  const topology = (await findLatestTopology(deps.database))?.document ?? null;
  return {
    now: deps.clock(),
    desired: { state: cell.state, release: null, limits: { hardLimit: cell.hardLimit } },
    changes: page.changes,
    cursor: encodeSyncCursor(feed.timeline, page.next),
    hasMore: page.hasMore,
    isSnapshot: page.isSnapshot,
    ...(topology !== null && topology.version !== request.viewVersion && { view: cutView(topology, id) }),
  };
};
