/**
 * How a vehicle stands at this moment. `held`: not now (it is locked, or the cell asks control about its own standing). `lost`: it is another's.
 */
export type Footing = "served" | "held" | "lost";

/** Every acknowledgement and every delivery passes here. Vehicles go by their numbers in the store. */
export type Serving = {
  /** Runs the work when the vehicle is served, now or later; null, and no work, once it is lost. */
  whenServed<T>(vehicle: number, work: () => Promise<T>): Promise<T | null>;
  /** Runs the work if the vehicle is served now; else null at once. */
  ifServed<T>(vehicle: number, work: () => Promise<T>): Promise<T> | null;
  /** The same, and also for a vehicle that is lost. */
  unlessHeld<T>(vehicle: number, work: () => Promise<T>): Promise<T> | null;
  /** No more work begins for the vehicle; resolves when all that had begun has ended. */
  still(vehicle: number): Promise<void>;
  /** Ends `still`: its record decides again. */
  resume(vehicle: number): void;
  /** Looks again at all that waits: something may have changed. */
  review(): void;
};

/** Waiting work is bounded by what connections may have in flight. It ends with the vehicle's footing, never with a timer. */
export const createServing = (footingOf: (vehicle: number) => Footing): Serving => {
  const working = new Map<number, number>();
  const stilled = new Set<number>();
  const drained = new Map<number, () => void>();
  const waiting = new Map<number, (() => void)[]>();

  const now = (vehicle: number): Footing => (stilled.has(vehicle) ? "held" : footingOf(vehicle));

  const leave = (vehicle: number): void => {
    const left = (working.get(vehicle) ?? 1) - 1;
    if (left > 0) {
      working.set(vehicle, left);
      return;
    }
    working.delete(vehicle);
    drained.get(vehicle)?.();
    drained.delete(vehicle);
  };

  /** One promise more for each message: it is on the hot path. */
  const begin = <T>(vehicle: number, work: () => Promise<T>): Promise<T> => {
    working.set(vehicle, (working.get(vehicle) ?? 0) + 1);
    return work().then(
      (result) => {
        leave(vehicle);
        return result;
      },
      (error: unknown) => {
        leave(vehicle);
        throw error;
      },
    );
  };

  const wake = (vehicle: number): void => {
    const woken = waiting.get(vehicle) ?? [];
    waiting.delete(vehicle);
    for (const resume of woken) resume();
  };

  const wait = (vehicle: number): Promise<void> =>
    new Promise((resolve) => {
      const queue = waiting.get(vehicle) ?? [];
      queue.push(resolve);
      waiting.set(vehicle, queue);
    });

  const runLater = async <T>(vehicle: number, work: () => Promise<T>): Promise<T | null> => {
    while (now(vehicle) === "held") await wait(vehicle);
    return now(vehicle) === "lost" ? null : begin(vehicle, work);
  };

  return {
    whenServed: (vehicle, work) => (now(vehicle) === "served" ? begin(vehicle, work) : runLater(vehicle, work)),
    ifServed: (vehicle, work) => (now(vehicle) === "served" ? begin(vehicle, work) : null),
    unlessHeld: (vehicle, work) => (now(vehicle) === "held" ? null : begin(vehicle, work)),
    async still(vehicle) {
      stilled.add(vehicle);
      if (working.has(vehicle)) await new Promise<void>((resolve) => drained.set(vehicle, resolve));
    },
    resume(vehicle) {
      stilled.delete(vehicle);
      wake(vehicle);
    },
    review() {
      for (const vehicle of [...waiting.keys()]) if (now(vehicle) !== "held") wake(vehicle);
    },
  };
};
