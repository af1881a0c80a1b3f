/** Picks one of so many. */
export type Sampler = {
  /** Counts one that is not picked; false, and nothing counted, when the next one is to be. */
  passes(): boolean;
  /** Counts one; whether it is the picked one. */
  picks(): boolean;
};

export const createSampler = (every: number): Sampler => {
  let passed = 0;
  const passes = (): boolean => {
    if (passed + 1 >= every) return false;
    passed += 1;
    return true;
  };
  return {
    passes,
    picks() {
      if (passes()) return false;
      passed = 0;
      return true;
    },
  };
};
