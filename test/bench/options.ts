import { parseArgs } from "node:util";

export const SECTIONS = ["edge", "pop", "pop-memory", "cold", "cell"] as const;
export type SectionName = (typeof SECTIONS)[number];

export type BenchOptions = {
  readonly sections: readonly SectionName[];
  /** Length of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly onMeasured: (name: string, rate: number) => void;
};

export const HELP = `npm run bench -- [options]: measures edge locations and cell beside their peers, prints the ratios and writes test/bench/RESULTS.md

  --only NAME       one section only: ${SECTIONS.join(", ")}; RESULTS.md is then left as it is
  --seconds S       length of one measurement (default 3)
  --rounds N        measurements of each contender, taken in turn (default 5)
  --help`;

const positive = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name} is a whole number above 0, not ${text}`);
  return value;
};

/** Reads the command line; "help" when it asks for help. Throws an error that says what is wrong. */
export const parseBenchOptions = (argv: readonly string[], onMeasured: BenchOptions["onMeasured"]): BenchOptions | "help" => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string" },
      seconds: { type: "string", default: "3" },
      rounds: { type: "string", default: "5" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const sections = SECTIONS.filter((name) => values.only === undefined || values.only === name);
  if (sections.length === 0) throw new RangeError(`--only is ${SECTIONS.join(" or ")}, not ${values.only}`);
  return { sections, seconds: positive("seconds", values.seconds), rounds: positive("rounds", values.rounds), onMeasured };
};
