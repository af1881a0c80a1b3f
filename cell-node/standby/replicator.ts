import { randomUUID } from "node:crypto";
import type { ReplicaBatch, VehicleReplica } from "#schema/api/standby.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Vehicle } from "../admission/vehicle.ts";
import type { VehicleTable } from "../admission/vehicle-table.ts";
import type { Clock } from "../clock.ts";
import type { PeerAnswer } from "./peer-client.ts";

export type ReplicatorContext = {
  readonly table: VehicleTable;
  readonly clock: Clock;
  readonly standby: () => CellId | null;
  readonly replicaOf: (vehicle: Vehicle) => Promise<VehicleReplica>;
  readonly send: (standby: CellId, batch: ReplicaBatch) => Promise<PeerAnswer>;
};

/** Keeps the standby's replica of this cell's vehicles: all of them first, then what changes, in batches. */
export type Replicator = {
  /** The control state of these vehicles has changed. */
  touch(vehicles: readonly number[]): void;
  /** Sends what is due. Not twice at the same time. */
  step(): Promise<void>;
  /** For how long the oldest change has waited; 0 when the standby has everything, or there is none. */
  lagSeconds(): number;
};

const BATCH = 200;

const isReplicated = (vehicle: Vehicle | undefined): vehicle is Vehicle =>
  vehicle !== undefined && (vehicle.record.state === "owned" || vehicle.record.state === "locked");

export const createReplicator = ({ table, clock, standby, replicaOf, send }: ReplicatorContext): Replicator => {
  /** Vehicle numbers and since when they wait, oldest first. */
  const dirty = new Map<number, number>();
  const vins = new Map<number, Vin>();
  let stream: { readonly id: string; readonly to: CellId; position: number; isWhole: boolean } | null = null;

  const touch = (vehicles: Iterable<number>): void => {
    const now = clock.monotonicMs();
    for (const vehicle of vehicles) if (!dirty.has(vehicle)) dirty.set(vehicle, now);
  };

  const begin = (to: CellId): NonNullable<typeof stream> => {
    dirty.clear();
    touch([...table.all()].filter(isReplicated).map(({ number }) => number));
    return { id: randomUUID(), to, position: 0, isWhole: false };
  };

  /** What was sent before is told to be gone when it is not replicated any more. */
  const goneOf = (numbers: readonly number[]): Vin[] =>
    numbers.flatMap((number) => (isReplicated(table.byNumber(number)) ? [] : (vins.get(number) ?? table.byNumber(number)?.vin ?? [])));

  const sendBatch = async (current: NonNullable<typeof stream>): Promise<boolean> => {
    const taken = [...dirty].slice(0, BATCH);
    for (const [number] of taken) dirty.delete(number);
    const numbers = taken.map(([number]) => number);
    const vehicles = await Promise.all(
      numbers
        .map((number) => table.byNumber(number))
        .filter(isReplicated)
        .map(replicaOf),
    );
    const isWhole = current.isWhole || dirty.size === 0;
    const batch = { stream: current.id, position: current.position, isWhole, vehicles, gone: goneOf(numbers) };
    const answer = await send(current.to, batch);
    if (answer?.status === 200) {
      current.position += 1;
      current.isWhole = isWhole;
      for (const number of numbers) {
        const vehicle = table.byNumber(number);
        if (vehicle !== undefined) vins.set(number, vehicle.vin);
      }
      return dirty.size > 0;
    }
    const waiting = [...dirty];
    dirty.clear();
    for (const [number, since] of [...taken, ...waiting]) dirty.set(number, Math.min(since, dirty.get(number) ?? since));
    if (answer?.status === 409) stream = null;
    return false;
  };

  return {
    touch,
    async step() {
      const to = standby();
      if (to === null) {
        stream = null;
        dirty.clear();
        return;
      }
      if (stream === null || stream.to !== to) stream = begin(to);
      if (dirty.size === 0 && stream.isWhole) return;
      while (stream !== null && (await sendBatch(stream)));
    },
    lagSeconds() {
      const [oldest] = dirty.values();
      return oldest === undefined ? 0 : (clock.monotonicMs() - oldest) / 1000;
    },
  };
};
