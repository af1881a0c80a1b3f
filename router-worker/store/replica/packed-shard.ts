import type { PackedKey } from "./packed-key.ts";

/** One open-addressing table (linear probing, Knuth 6.4 algorithms L and R): 22 bytes a slot, no object per vehicle. */
export type PackedShard = {
  /** The slot of a key, or -1. */
  find(key: PackedKey): number;
  /** The slot of a key, made if there was none. */
  put(key: PackedKey): number;
  remove(slot: number): void;
  epochAt(slot: number): number;
  cellAt(slot: number): number;
  set(slot: number, epoch: number, cell: number): void;
  /** Every occupied slot with its key; the key is reused between calls. */
  each(visit: (slot: number, key: PackedKey) => void): void;
  size(): number;
};

const MAX_LOAD = 0.75;
const GROWTH = 1.5;
const WORDS = 4;

type Arrays = { readonly capacity: number; readonly keys: Uint32Array; readonly epochs: Uint32Array; readonly cells: Uint16Array };

const allocate = (capacity: number): Arrays => ({
  capacity,
  keys: new Uint32Array(capacity * WORDS),
  epochs: new Uint32Array(capacity),
  cells: new Uint16Array(capacity),
});

/** The home of a key: its words are HMAC output, so any of them is spread evenly. */
const homeOf = (word: number, capacity: number): number => Math.floor((word / 2 ** 32) * capacity);

/** A slot is empty while its epoch is 0; epochs start at 1. */
export const createPackedShard = (expected: number): PackedShard => {
  let arrays = allocate(Math.max(16, Math.ceil(expected / MAX_LOAD)));
  let size = 0;
  const visited = new Uint32Array(WORDS);

  const seek = ({ keys, epochs, capacity }: Arrays, key: PackedKey): number => {
    const word0 = key[0];
    const word1 = key[1];
    const word2 = key[2];
    const word3 = key[3];
    let slot = homeOf(word1 ?? 0, capacity);
    while (epochs[slot] !== 0) {
      const at = slot * WORDS;
      if (keys[at] === word0 && keys[at + 1] === word1 && keys[at + 2] === word2 && keys[at + 3] === word3) return slot;
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
    return slot;
  };

  const copySlot = (from: Arrays, source: number, to: Arrays, target: number): void => {
    for (let word = 0; word < WORDS; word++) to.keys[target * WORDS + word] = from.keys[source * WORDS + word] ?? 0;
    to.epochs[target] = from.epochs[source] ?? 0;
    to.cells[target] = from.cells[source] ?? 0;
  };

  const grow = (): void => {
    const next = allocate(Math.ceil(arrays.capacity * GROWTH));
    const key = new Uint32Array(WORDS);
    for (let slot = 0; slot < arrays.capacity; slot++) {
      if (arrays.epochs[slot] === 0) continue;
      for (let word = 0; word < WORDS; word++) key[word] = arrays.keys[slot * WORDS + word] ?? 0;
      copySlot(arrays, slot, next, seek(next, key));
    }
    arrays = next;
  };

  return {
    find(key) {
      const slot = seek(arrays, key);
      return arrays.epochs[slot] === 0 ? -1 : slot;
    },
    put(key) {
      let slot = seek(arrays, key);
      if (arrays.epochs[slot] !== 0) return slot;
      if (size + 1 > arrays.capacity * MAX_LOAD) {
        grow();
        slot = seek(arrays, key);
      }
      arrays.keys.set(key, slot * WORDS);
      size += 1;
      return slot;
    },
    remove(slot) {
      const { capacity, epochs, keys } = arrays;
      let hole = slot;
      let next = slot;
      epochs[hole] = 0;
      size -= 1;
      for (;;) {
        next = next + 1 === capacity ? 0 : next + 1;
        if (epochs[next] === 0) return;
        const home = homeOf(keys[next * WORDS + 1] ?? 0, capacity);
        const staysPut = hole <= next ? hole < home && home <= next : hole < home || home <= next;
        if (staysPut) continue;
        copySlot(arrays, next, arrays, hole);
        epochs[next] = 0;
        hole = next;
      }
    },
    epochAt: (slot) => arrays.epochs[slot] ?? 0,
    cellAt: (slot) => arrays.cells[slot] ?? 0,
    set(slot, epoch, cell) {
      arrays.epochs[slot] = epoch;
      arrays.cells[slot] = cell;
    },
    each(visit) {
      for (let slot = 0; slot < arrays.capacity; slot++) {
        if (arrays.epochs[slot] === 0) continue;
        for (let word = 0; word < WORDS; word++) visited[word] = arrays.keys[slot * WORDS + word] ?? 0;
        visit(slot, visited);
      }
    },
    size: () => size,
  };
};
