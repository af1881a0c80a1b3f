import type { AddressedOrder, HeldEntry } from "#schema/api/moves.ts";
import type { CellId } from "#schema/domain/cell.ts";
import { orderFor } from "#schema/domain/move.ts";
import type { MoveOrder } from "#schema/domain/move-message.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { SYNC_PACE_MS } from "../ledger/contacts.ts";
import { findAssignment } from "../store/assignments.ts";
import { findMoves, type MoveFact, readOrders, toMove } from "../store/moves.ts";

const MAX_ORDERS = 500;
const HURRIED_PACE_MS = 100;

export type Given = { readonly orders: AddressedOrder[]; readonly ordersCursor: number; readonly syncAfterMs: number };

/** Where a cell is reached by other cells; undefined for one that is in no topology yet. */
export type EndpointOf = (cell: string) => string | undefined;

const toAddressed = (order: MoveOrder, vin: Vin, vinKey: AddressedOrder["vinKey"], endpointOf: EndpointOf): AddressedOrder => {
  const peerEndpoint = endpointOf(order.peer);
  return { vinKey, vin, order, ...(peerEndpoint !== undefined && { peerEndpoint }) };
};

const orderOf = ({ row, truth }: MoveFact, cell: CellId, endpointOf: EndpointOf): AddressedOrder[] => {
  const order = truth === null ? null : orderFor(toMove(row), cell, truth);
  return order === null ? [] : [toAddressed(order, row.vin, row.vinKey, endpointOf)];
};

/** The truth about a vehicle that is held for a move of which nothing is known here: before a restore, or long ago. */
const settleUnknown = async (deps: Deps, entry: HeldEntry, endpointOf: EndpointOf): Promise<AddressedOrder[]> => {
  const { vin, vinKey, moveId, step } = entry;
  const truth = vin === undefined ? null : await findAssignment(deps.database, vin);
  if (vin === undefined || truth === null || truth.vinKey !== vinKey) return [];
  const order = { kind: "settle", moveId, step, role: "source", peer: truth.cell, epoch: truth.epoch, owner: truth.cell } as const;
  return [toAddressed(order, vin, vinKey, endpointOf)];
};

const answerHeld = async (deps: Deps, cell: CellId, held: readonly HeldEntry[], endpointOf: EndpointOf): Promise<AddressedOrder[]> => {
  if (held.length === 0) return [];
  const facts = await findMoves(
    deps.database,
    held.map(({ moveId }) => moveId),
  );
  const known = new Set(facts.map(({ row }) => row.id));
  const unknown = held.filter(({ moveId }) => !known.has(moveId));
  const settled = await Promise.all(unknown.slice(0, MAX_ORDERS).map((entry) => settleUnknown(deps, entry, endpointOf)));
  return [...facts.flatMap((fact) => orderOf(fact, cell, endpointOf)), ...settled.flat()];
};

/** What a cell has to do for moves: what is new behind its cursor, and an answer to each vehicle that it says it holds. */
export const giveMoveOrders = async (
  deps: Deps,
  cell: CellId,
  asked: { readonly after: number; readonly held: readonly HeldEntry[] },
  endpointOf: EndpointOf,
): Promise<Given> => {
  const { facts, seq, isBusy } = await readOrders(deps.database, cell, asked.after, MAX_ORDERS, deps.clock());
  // A cursor from the future is of a database that was restored since.
  if (asked.after > seq) return giveMoveOrders(deps, cell, { ...asked, after: 0 }, endpointOf);
  const isFull = facts.length === MAX_ORDERS;
  const held = await answerHeld(deps, cell, asked.held, endpointOf);
  const fresh = facts.flatMap((fact) => orderOf(fact, cell, endpointOf));
  const answered = new Set(held.map(({ order }) => order.moveId));
  return {
    orders: [...held, ...fresh.filter(({ order }) => !answered.has(order.moveId))],
    ordersCursor: isFull ? (facts.at(-1)?.row.seq ?? seq) : seq,
    syncAfterMs: isBusy || isFull ? HURRIED_PACE_MS : SYNC_PACE_MS,
  };
};
