import * as z from "zod";
import { BundledSubscription } from "#schema/api/vehicle-bundle.ts";
import { parseCellId } from "#schema/domain/cell.ts";
import type { MoveMark } from "#schema/domain/cell-move.ts";
import type { Remembered } from "../gateway/broker.ts";
import type { MarkRow, Store } from "../store/store.ts";

/** A mark with what the cell needs beside it to carry the move out again after a restart. */
export type KeptMark = MoveMark & {
  /** When the lock was granted: the bundle is of that moment. */
  readonly lockedAt: number | null;
  readonly session: readonly Remembered[];
};

const Session = z.array(BundledSubscription);

export const toMarkRow = (vehicle: number, { session, ...mark }: KeptMark): MarkRow => ({
  vehicle,
  ...mark,
  session: session.length === 0 ? null : JSON.stringify(session),
});

const parseMarkRow = ({ vehicle, peer, session, ...row }: MarkRow): KeptMark => {
  const cell = parseCellId(peer);
  if (cell === null) throw new Error(`the move of vehicle ${vehicle} in the store is unreadable`);
  return { ...row, peer: cell, session: session === null ? [] : Session.parse(JSON.parse(session)) };
};

/** The marks by vehicle number, in memory as on disk. */
export type Marks = {
  get(vehicle: number): KeptMark | null;
  set(vehicle: number, mark: KeptMark | null): void;
  /** The vehicle whose last move this is. */
  vehicleOf(moveId: string): number | undefined;
  entries(): Iterable<readonly [number, KeptMark]>;
};

export const loadMarks = async (store: Store): Promise<Marks> => {
  const byVehicle = new Map<number, KeptMark>();
  const byMove = new Map<string, number>();
  const marks: Marks = {
    get: (vehicle) => byVehicle.get(vehicle) ?? null,
    set(vehicle, mark) {
      const before = byVehicle.get(vehicle);
      if (before !== undefined) byMove.delete(before.moveId);
      byVehicle.delete(vehicle);
      if (mark === null) return;
      byVehicle.set(vehicle, mark);
      byMove.set(mark.moveId, vehicle);
    },
    vehicleOf: (moveId) => byMove.get(moveId),
    entries: () => byVehicle,
  };
  for (const row of await store.marks()) marks.set(row.vehicle, parseMarkRow(row));
  return marks;
};
