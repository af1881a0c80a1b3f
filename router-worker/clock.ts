/** Time as the router sees it, in milliseconds: since the epoch, since some start (for durations), and timers that can be called off. */
export type Clock = {
  now(): number;
  monotonic(): number;
  after(ms: number, run: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export const TIMED_OUT = Symbol("timed out");

/** The promise's own outcome, or TIMED_OUT when it takes longer. */
export const withTimeout = <T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | typeof TIMED_OUT> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(TIMED_OUT));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
