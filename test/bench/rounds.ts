/** One measured contender: answers a rate per second. */
export type Contender = { readonly name: string; readonly measure: () => Promise<number> };

/** The rates of one contender over all rounds. */
export type Measured = { readonly name: string; readonly rates: readonly number[]; readonly median: number };

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

/** Measures the contenders in turn, A B A B …, so that what else the machine does meets all of them alike. */
export const runRounds = async (
  contenders: readonly Contender[],
  rounds: number,
  onMeasured: (name: string, rate: number) => void,
): Promise<Measured[]> => {
  const rates = contenders.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, measure }] of contenders.entries()) {
      const rate = await measure();
      rates[index]?.push(rate);
      onMeasured(name, rate);
    }
  }
  return contenders.map(({ name }, index) => ({ name, rates: rates[index] ?? [], median: medianOf(rates[index] ?? []) }));
};

/** The median of the ratios round by round: each pair was measured under nearly the same conditions. */
export const pairedRatio = (ours: Measured, theirs: Measured): number =>
  medianOf(ours.rates.map((rate, round) => rate / (theirs.rates[round] ?? Number.NaN)));
