import { AppError } from "#schema/api/error.ts";
import type { SyncAnswer, SyncRequest } from "#schema/api/sync.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Deps } from "../deps.ts";
import { SYNC_PACE_MS } from "../ledger/contacts.ts";
import type { CellRow } from "../store/cells.ts";
import { listAccounts } from "../store/failovers.ts";
import { findLatestTopology } from "../store/topologies.ts";
import { askWitness } from "./ask-witness.ts";
import { toError } from "./commit.ts";
import { cutView } from "./cut-view.ts";
import { toAccount } from "./failover-view.ts";
import { giveMoveOrders } from "./give-move-orders.ts";
import { readGrantPage } from "./read-grant-page.ts";
import { readPage } from "./read-page.ts";
import { readReports } from "./read-reports.ts";
import { requireCell } from "./require.ts";
import { takeGuestReports } from "./take-guest-reports.ts";
import { takeMoveReports } from "./take-move-reports.ts";

const PAGE = 1_000;
/** Somebody waits for what a witness says. */
const WITNESS_PACE_MS = 500;

const announce = async (deps: Deps, cell: CellRow, observed: SyncRequest["observed"]): Promise<void> => {
  const { incarnation, release, health, metrics, witness } = observed;
  const known = { knownIncarnation: cell.incarnation, knownRelease: cell.release };
  const outcome = await deps.ledger.contact({ cell: cell.id, incarnation, release, health, metrics, witness, ...known });
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
  const reports = readReports(request.observed.reports);
  if (reports.unknown > 0) deps.logger.warn("reports of unknown kinds", { cell: id, count: reports.unknown });
  await takeMoveReports(deps, id, reports.moves);
  await takeGuestReports(deps, id, reports.guests);
  const page = await readPage(deps, { cell: id, limit: PAGE }, request.cursor);
  const topology = (await findLatestTopology(deps.database))?.document ?? null;
  const asked = { after: request.ordersCursor ?? 0, held: reports.held };
  const given = await giveMoveOrders(deps, id, asked, (other) => topology?.cells[other]?.endpoints.https);
  const probe = await askWitness(deps, id);
  return {
    now: deps.clock(),
    desired: { state: cell.state, release: null, limits: { hardLimit: cell.hardLimit }, probe },
    changes: page.rows.map(({ vinKey, vin, epoch, owner }) => ({ vinKey, vin, epoch, cell: owner })),
    cursor: page.cursor,
    hasMore: page.hasMore,
    isSnapshot: page.isSnapshot,
    ...given,
    syncAfterMs: Math.min(given.syncAfterMs, probe.length > 0 ? WITNESS_PACE_MS : SYNC_PACE_MS),
    failovers: (await listAccounts(deps.database, id)).map(toAccount),
    ...(request.grantsCursor !== undefined && { grants: await readGrantPage(deps, id, request.grantsCursor) }),
    ...(topology !== null && topology.version !== request.viewVersion && { view: cutView(topology, id) }),
  };
};
