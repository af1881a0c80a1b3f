/** A family of Prometheus counters; label values come in the order of the names and are never a VIN or a vinKey. */
export type Counter = { inc(...values: readonly string[]): void };

type Family = { readonly help: string; readonly type: "counter" | "gauge" | "histogram"; readonly lines: (name: string) => string[] };

export type Gauge = { readonly labels: readonly (readonly [string, string])[]; readonly value: number };

export type Count = { readonly name: string; readonly labels: readonly string[]; readonly value: number };

const labelsOf = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.length === 0 ? "" : `{${pairs.map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, "_")}"`).join(",")}}`;

/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const SEPARATOR = "\u0000";

/** A registry of one isolate or process, in the Prometheus text format 0.0.4. Label values are few and known, so nothing here grows with traffic. */
export const createMetrics = () => {
  const families = new Map<string, Family>();
  const counted = new Map<string, Map<string, number>>();

  return {
    counter(name: string, help: string, labels: readonly string[]): Counter {
      const values = new Map<string, number>();
      counted.set(name, values);
      const lines = () =>
        [...values].map(([key, value]) => {
          const parts = key.split(SEPARATOR);
          return `${name}${labelsOf(labels.map((label, index) => [label, parts[index] ?? ""]))} ${value}`;
        });
      families.set(name, { help, type: "counter", lines });
      return {
        inc(...parts) {
          const key = parts.length === 1 ? (parts[0] ?? "") : parts.join(SEPARATOR);
          values.set(key, (values.get(key) ?? 0) + 1);
        },
      };
    },
    gauge(name: string, help: string, read: () => readonly Gauge[]): void {
      const lines = () => read().map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}`);
      families.set(name, { help, type: "gauge", lines });
    },
    histogram(name: string, help: string): { observe(seconds: number): void } {
      const counts = new Array<number>(BUCKETS.length).fill(0);
      let count = 0;
      let sum = 0;
      const lines = () => [
        ...BUCKETS.map((bound, index) => `${name}_bucket{le="${bound}"} ${counts[index]}`),
        `${name}_bucket{le="+Inf"} ${count}`,
        `${name}_sum ${sum}`,
        `${name}_count ${count}`,
      ];
      families.set(name, { help, type: "histogram", lines });
      return {
        observe(seconds) {
          count += 1;
          sum += seconds;
          for (let index = BUCKETS.length - 1; index >= 0 && seconds <= (BUCKETS[index] ?? 0); index--)
            counts[index] = (counts[index] ?? 0) + 1;
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
      [...counted].flatMap(([name, values]) => [...values].map(([key, value]) => ({ name, labels: key.split(SEPARATOR), value }))),
  };
};
export type Metrics = ReturnType<typeof createMetrics>;
