import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchCell } from "./cell.ts";
import { benchCold } from "./cold.ts";
import { benchEdge } from "./edge.ts";
import { machineFacts } from "./machine.ts";
import { type BenchOptions, HELP, parseBenchOptions, SECTIONS, type SectionName } from "./options.ts";
import { benchPopHot } from "./pop-hot.ts";
import { benchPopMemory } from "./pop-memory.ts";
import type { Section } from "./section.ts";
import { renderSection } from "./table.ts";

const RESULTS = join(import.meta.dirname, "RESULTS.md");

const BENCHES: Readonly<Record<SectionName, (options: BenchOptions) => Promise<readonly Section[]>>> = {
  edge: async (options) => [await benchEdge(options)],
  pop: benchPopHot,
  "pop-memory": benchPopMemory,
  cold: benchCold,
  cell: benchCell,
};

const main = async (): Promise<void> => {
  const onMeasured = (name: string, rate: number) =>
    console.log(`  ${name.padEnd(42)} ${Math.round(rate).toLocaleString("en").padStart(9)}/s`);
  const options = parseBenchOptions(process.argv.slice(2), onMeasured);
  if (options === "help") return console.log(HELP);
  const facts = machineFacts();
  const sections: Section[] = [];
  for (const name of options.sections) {
    console.log(name);
    sections.push(...(await BENCHES[name](options)));
  }
  const intro = `# Bench\n\nWritten by \`npm run bench\` (${options.rounds} rounds of ${options.seconds} s): measured figures only.\nThe ratios matter; the figures are this machine's. Medians of the rounds; contenders take turns, ratios are paired round by round.\n"per CPU s": the same ratio per second of each server's own CPU time. "load busy": the share of a core that the load generator took at most.`;
  const report = [intro, facts.map((fact) => `- ${fact}`).join("\n"), ...sections.map(renderSection)].join("\n\n");
  console.log(`\n${report}`);
  if (options.sections.length === SECTIONS.length) writeFileSync(RESULTS, `${report}\n`);
};

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  },
);
