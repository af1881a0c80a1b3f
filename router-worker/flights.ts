import { type Clock, TIMED_OUT, withTimeout } from "./clock.ts";

/** Lets a promise outlive the request that began it. */
export type KeepAlive = (work: Promise<unknown>) => void;

export type Flights<T> = {
  /** Runs once for all who ask for the key meanwhile. `run` settles by itself and never rejects. */
  share(key: string, run: () => Promise<T>): Promise<T>;
  /** Starts the work behind the current request unless it is under way. */
  begin(key: string, run: () => Promise<T>): void;
  isUnderWay(key: string): boolean;
};

/**
 * Request coalescing that is safe on Workers, where I/O belongs to the request that began it: the leader's work is kept alive beyond its own answer, followers
 * wait on the plain value for `waitMs` at most, and the first to wait in vain leads anew. Above `max` keys nothing is shared: every caller does its own work.
 */
export const createFlights = <T>(options: { clock: Clock; keepAlive: KeepAlive; waitMs: number; max: number }): Flights<T> => {
  const { clock, keepAlive, waitMs, max } = options;
  const flights = new Map<string, Promise<T>>();

  const lead = (key: string, run: () => Promise<T>): Promise<T> => {
    const forget = () => flights.get(key) === flight && flights.delete(key);
    const flight: Promise<T> = run().finally(forget);
    if (flights.size < max) flights.set(key, flight);
    keepAlive(flight);
    return flight;
  };

  const share = async (key: string, run: () => Promise<T>): Promise<T> => {
    const flight = flights.get(key);
    if (flight === undefined) return lead(key, run);
    const outcome = await withTimeout(clock, waitMs, flight);
    if (outcome !== TIMED_OUT) return outcome;
    if (flights.get(key) === flight) flights.delete(key);
    return share(key, run);
  };
  const begin = (key: string, run: () => Promise<T>): void => {
    if (!flights.has(key)) lead(key, run);
  };
  return { share, begin, isUnderWay: (key) => flights.has(key) };
};
