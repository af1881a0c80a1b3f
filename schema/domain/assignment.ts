/** The epoch of the next change of owner: never reused, never lowered, above every epoch erased or restored (invariant I2). */
export const nextEpoch = (ownEpoch: number, epochFloor: number): number => Math.max(ownEpoch, epochFloor) + 1;
