import type { Stay } from "#schema/domain/guest.ts";

/** What is remembered of a vehicle's failovers: its stay as a guest here, and the last term after which it came home. */
export type Remembrance = { readonly stay: Stay | null; readonly homeTerm: number };

const NOTHING: Remembrance = { stay: null, homeTerm: 0 };

/**
 * By vehicle number, in memory. A restart forgets it and loses nothing: sessions end with the process, a guest without a stay is not served, and who does not
 * know that a vehicle has come home asks for it again.
 */
export type Stays = {
  of(vehicle: number): Remembrance;
  set(vehicle: number, change: Partial<Remembrance>): void;
};

export const createStays = (): Stays => {
  const known = new Map<number, Remembrance>();
  const of = (vehicle: number): Remembrance => known.get(vehicle) ?? NOTHING;
  return { of, set: (vehicle, change) => void known.set(vehicle, { ...of(vehicle), ...change }) };
};
