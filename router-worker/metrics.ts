export type Count = { readonly name: string; readonly labels: readonly string[]; readonly value: number };

/** One labelled value of a counter. */
export type Series = { inc(): void };

/** A family of Prometheus counters; label values come in the order of the names and are never a VIN or a vinKey. */
export type Counter = {
  inc(...labels: readonly string[]): void;
  /** The series of these labels, for the hot path to hold on to; it counts from 0 on. */
  of(...labels: readonly string[]): Series;
};

export type Gauge = { readonly labels: readonly (readonly [string, string])[]; readonly value: number };

type Family = { readonly help: string; readonly type: "counter" | "gauge" | "histogram"; readonly lines: (name: string) => string[] };

const labelsOf = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.length === 0 ? "" : `{${pairs.map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, "_")}"`).join(",")}}`;

/** Upper bounds in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, Number.POSITIVE_INFINITY];

const createSeries = (labels: readonly string[]) => {
  const series = {
    labels,
    value: 0,
    inc() {
      series.value += 1;
    },
  };
  return series;
};

/** A registry of one isolate or process, in the Prometheus text format 0.0.4. Label values are few and known, so nothing here grows with traffic. */
export const createMetrics = () => {
  const families = new Map<string, Family>();
  const counters = new Map<string, ReadonlyMap<string, ReturnType<typeof createSeries>>>();

  return {
    counter(name: string, help: string, names: readonly string[]): Counter {
      const known = new Map<string, ReturnType<typeof createSeries>>();
      counters.set(name, known);
      const line = (labels: readonly string[], value: number) =>
        `${name}${labelsOf(names.map((label, index) => [label, labels[index] ?? ""]))} ${value}`;
      families.set(name, { help, type: "counter", lines: () => [...known.values()].map(({ labels, value }) => line(labels, value)) });
      const of = (...labels: readonly string[]): Series => {
        const key = labels.join("\n");
        const series = known.get(key) ?? createSeries(labels);
        known.set(key, series);
        return series;
      };
      return { of, inc: (...labels) => of(...labels).inc() };
    },
    gauge(name: string, help: string, read: () => readonly Gauge[]): void {
      const lines = () => read().map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}`);
      families.set(name, { help, type: "gauge", lines });
    },
    histogram(name: string, help: string): { observe(seconds: number): void } {
      const counts = BOUNDS.map(() => 0);
      let sum = 0;
      const lines = () => {
        let count = 0;
        const buckets = BOUNDS.map((bound, index) => {
          count += counts[index] ?? 0;
          return `${name}_bucket{le="${Number.isFinite(bound) ? bound : "+Inf"}"} ${count}`;
        });
        return [...buckets, `${name}_sum ${sum}`, `${name}_count ${count}`];
      };
      families.set(name, { help, type: "histogram", lines });
      return {
        observe(seconds) {
          let index = 0;
          while (seconds > (BOUNDS[index] ?? 0)) index += 1;
          counts[index] = (counts[index] ?? 0) + 1;
          sum += seconds;
        },
      };
    },
    text: (): string =>
      [...families]
        .flatMap(([name, { help, type, lines }]) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines(name)])
        .join("\n")
        .concat("\n"),
    /** Every counter as it stands. */
    counts: (): Count[] =>
      [...counters].flatMap(([name, known]) => [...known.values()].map(({ labels, value }) => ({ name, labels, value }))),
  };
};
export type Metrics = ReturnType<typeof createMetrics>;
