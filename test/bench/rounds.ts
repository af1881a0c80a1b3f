import { cpuSecondsOf, untilQuiet } from "./cpu.ts";

/** How much was done in how long; `busyShare` is the share of one core that the load itself took, where it says so. */
export type Work = { readonly count: number; readonly seconds: number; readonly busyShare?: number };

/** A server under load. `pid` is the process that serves, `helperPids` what serves behind it; their CPU time is read around each measurement. */
export type Contender = {
  readonly name: string;
  readonly pid: number;
  readonly helperPids?: readonly number[];
  readonly measure: () => Promise<Work>;
};

/** `perSecond` as the load saw it; `perCpuSecond` is the work done in a second of the server's CPU time, what it put off included. */
export type Sample = { readonly perSecond: number; readonly perCpuSecond: number; readonly busyShare: number };

export type Measured = { readonly name: string; readonly samples: readonly Sample[]; readonly median: number };

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

const cpuOf = ({ pid, helperPids = [] }: Contender): number =>
  [pid, ...helperPids].reduce((sum, own) => sum + (cpuSecondsOf(own) ?? Number.NaN), 0);

const sampleOf = async (contender: Contender): Promise<Sample> => {
  const { pid, measure } = contender;
  const before = cpuOf(contender);
  const { count, seconds, busyShare = Number.NaN } = await measure();
  await untilQuiet(pid);
  const perCpuSecond = count / (cpuOf(contender) - before);
  return { perSecond: count / seconds, perCpuSecond, busyShare };
};

/** Measures the contenders in turn, A B A B …, so that what else the machine does meets all of them alike. */
export const runRounds = async (
  contenders: readonly Contender[],
  rounds: number,
  onMeasured: (name: string, perSecond: number) => void,
): Promise<Measured[]> => {
  const samples = contenders.map((): Sample[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const sample = await sampleOf(contender);
      samples[index]?.push(sample);
      onMeasured(contender.name, sample.perSecond);
    }
  }
  return contenders.map(({ name }, index) => {
    const own = samples[index] ?? [];
    return { name, samples: own, median: medianOf(own.map(({ perSecond }) => perSecond)) };
  });
};

/** The median of the ratios round by round: each pair was measured under nearly the same conditions. */
export const pairedRatio = (ours: Measured, theirs: Measured, by: keyof Sample = "perSecond"): number =>
  medianOf(ours.samples.map((sample, round) => sample[by] / (theirs.samples[round]?.[by] ?? Number.NaN)));

/** The one with the highest median. */
export const fastestOf = (measured: readonly Measured[]): Measured => {
  const [fastest] = measured.toSorted((a, b) => b.median - a.median);
  if (fastest === undefined) throw new Error("nothing was measured");
  return fastest;
};
