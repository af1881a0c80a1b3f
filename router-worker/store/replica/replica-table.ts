import type { CellId } from "#schema/domain/cell.ts";
import type { RouteRecord } from "#schema/domain/route.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { Lease } from "../port.ts";
import { type PackedKey, packKey } from "./packed-key.ts";
import { createPackedShard } from "./packed-shard.ts";
import { createReplicaLeases } from "./replica-leases.ts";

/** Every route record in memory, packed: about 30 bytes a vehicle (10 million in about 300 MB). */
export type ReplicaTable = {
  get(vinKey: VinKey): RouteRecord | null;
  /** Good until this vehicle's record is put, deleted or dropped. */
  leaseOf(vinKey: VinKey): Lease;
  put(vinKey: VinKey, record: RouteRecord): void;
  delete(vinKey: VinKey): void;
  size(): number;
  /** Starts a resnapshot: what is not put again before `endSnapshot` is dropped there. */
  beginSnapshot(): void;
  endSnapshot(): void;
  /** The cells that records name by index. */
  cells(): readonly CellId[];
  sizeIn(shard: number): number;
  /** The records of one shard as they are packed, for the file; the key is reused between calls. */
  eachIn(shard: number, visit: (key: PackedKey, epoch: number, cellIndex: number) => void): void;
  /** For a table that nobody reads yet. */
  putPacked(key: PackedKey, epoch: number, cell: CellId): void;
};

export const SHARDS = 64;
const SHARD_SHIFT = 26;
/** Epochs above this are kept aside: a restore raises them by a million, so no fleet comes near. */
const LARGE_EPOCH = 0xffff_ffff;
const MAX_CELLS = 0x7fff;
/** Marks a slot that the running snapshot has named. */
const NAMED_BIT = 0x8000;

/** A table sized for `expected` vehicles; it grows a sixty-fourth at a time, so that growing needs little memory beside it. */
export const createReplicaTable = (expected = 0): ReplicaTable => {
  const shards = Array.from({ length: SHARDS }, () => createPackedShard(Math.ceil((expected * 1.02) / SHARDS)));
  const largeEpochs = new Map<string, number>();
  const cells: CellId[] = [];
  const cellIndexes = new Map<CellId, number>();
  const scratch = new Uint32Array(4);
  const leases = createReplicaLeases();
  let isSnapshotRunning = false;

  const shardOf = (key: PackedKey) => {
    const shard = shards[(key[0] ?? 0) >>> SHARD_SHIFT];
    if (shard === undefined) throw new RangeError("no such shard");
    return shard;
  };

  const indexOf = (cell: CellId): number => {
    const known = cellIndexes.get(cell);
    if (known !== undefined) return known;
    if (cells.length >= MAX_CELLS) throw new RangeError(`a replica holds ${MAX_CELLS} cells at most`);
    cells.push(cell);
    cellIndexes.set(cell, cells.length - 1);
    return cells.length - 1;
  };

  const cellNamed = (index: number): CellId => {
    const cell = cells[index & MAX_CELLS];
    if (cell === undefined) throw new RangeError("no such cell index");
    return cell;
  };

  const epochOf = (packed: number, key: PackedKey): number => (packed === LARGE_EPOCH ? (largeEpochs.get(key.join()) ?? packed) : packed);

  const putPacked = (key: PackedKey, epoch: number, cell: CellId): void => {
    if (epoch >= LARGE_EPOCH) largeEpochs.set(key.join(), epoch);
    const shard = shardOf(key);
    shard.set(shard.put(key), Math.min(epoch, LARGE_EPOCH), isSnapshotRunning ? indexOf(cell) | NAMED_BIT : indexOf(cell));
  };

  const forgetNames = (): void => {
    for (const shard of shards) shard.each((slot) => shard.set(slot, shard.epochAt(slot), shard.cellAt(slot) & MAX_CELLS));
  };

  const sweepUnnamed = (): void => {
    for (const shard of shards) {
      const unnamed: PackedKey[] = [];
      shard.each((slot, key) => {
        if ((shard.cellAt(slot) & NAMED_BIT) === 0) unnamed.push(key.slice());
      });
      for (const key of unnamed) shard.remove(shard.find(key));
    }
  };

  return {
    get(vinKey) {
      const key = packKey(vinKey, scratch);
      const shard = shardOf(key);
      const slot = shard.find(key);
      return slot < 0 ? null : { cell: cellNamed(shard.cellAt(slot)), epoch: epochOf(shard.epochAt(slot), key) };
    },
    leaseOf: (vinKey) => leases.of(vinKey),
    put(vinKey, record) {
      leases.end(vinKey);
      putPacked(packKey(vinKey, scratch), record.epoch, record.cell);
    },
    delete(vinKey) {
      leases.end(vinKey);
      const key = packKey(vinKey, scratch);
      const shard = shardOf(key);
      const slot = shard.find(key);
      if (slot >= 0) shard.remove(slot);
      largeEpochs.delete(key.join());
    },
    size: () => shards.reduce((sum, shard) => sum + shard.size(), 0),
    beginSnapshot() {
      forgetNames();
      isSnapshotRunning = true;
    },
    endSnapshot() {
      leases.endAll();
      sweepUnnamed();
      isSnapshotRunning = false;
    },
    cells: () => cells,
    sizeIn: (index) => shards[index]?.size() ?? 0,
    eachIn(index, visit) {
      const shard = shards[index];
      shard?.each((slot, key) => visit(key, epochOf(shard.epochAt(slot), key), shard.cellAt(slot) & MAX_CELLS));
    },
    putPacked,
  };
};
