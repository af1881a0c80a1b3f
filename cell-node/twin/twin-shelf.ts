import { LRUCache } from "lru-cache";
import { EMPTY_TWIN, type Twin } from "#schema/domain/twin.ts";
import type { Store } from "../store/store.ts";
import { parseTwinRow, toTwinRow } from "./twin-rows.ts";

/** The twins that are in use, in memory; all of them on disk. Vehicles go by their numbers in the store. */
export type TwinShelf = {
  read(vehicle: number): Promise<Twin>;
  /** One change of a vehicle's twin at a time: the next one begins when this one is on disk, or has failed. */
  change<T>(vehicle: number, work: (twin: Twin) => Promise<{ readonly twin: Twin; readonly result: T }>): Promise<T>;
  /** It has changed on disk: the next reader looks there. */
  forget(vehicle: number): Promise<void>;
};

/** In characters of the stored texts. Beyond it the twins that were used last stay. */
const SHELF_SIZE = 64 * 1024 * 1024;
const LEAST_SIZE = 512;

const sizeOf = (twin: Twin): number => LEAST_SIZE + toTwinRow(0, twin).reported.length + twin.desired.document.length;

export const createTwinShelf = (store: Pick<Store, "twin" | "desired">): TwinShelf => {
  const shelf = new LRUCache<number, Twin>({ maxSize: SHELF_SIZE, sizeCalculation: sizeOf });
  const last = new Map<number, Promise<unknown>>();

  const load = async (vehicle: number): Promise<Twin> => {
    const [row, [desired]] = await Promise.all([store.twin(vehicle), store.desired(vehicle, 1)]);
    const empty = toTwinRow(vehicle, EMPTY_TWIN);
    return row === null && desired === undefined ? EMPTY_TWIN : parseTwinRow(row ?? empty, desired);
  };

  const inTurn = <T>(vehicle: number, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(vehicle) ?? Promise.resolve()).then(work, work);
    last.set(vehicle, turn);
    const leave = () => {
      if (last.get(vehicle) === turn) last.delete(vehicle);
    };
    turn.then(leave, leave);
    return turn;
  };

  const shelved = async (vehicle: number): Promise<Twin> => {
    const known = shelf.get(vehicle);
    if (known !== undefined) return known;
    const loaded = await load(vehicle);
    shelf.set(vehicle, loaded);
    return loaded;
  };

  return {
    read: (vehicle) => inTurn(vehicle, () => shelved(vehicle)),
    change: (vehicle, work) =>
      inTurn(vehicle, async () => {
        const before = await shelved(vehicle);
        const { twin, result } = await work(before);
        if (twin !== before) shelf.set(vehicle, twin);
        return result;
      }),
    forget: (vehicle) => inTurn(vehicle, async () => void shelf.delete(vehicle)),
  };
};
