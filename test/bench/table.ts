import type { Aim, Row, Section } from "./section.ts";
import { reaches } from "./section.ts";

const rate = (value: number): string => Math.round(value).toLocaleString("en");
const share = (value: number): string => (Number.isNaN(value) ? "" : value.toFixed(2));
const aimOf = (aim: Aim | null): string => {
  if (aim === null) return "";
  return aim.kind === "ratio" ? `ratio >= ${aim.atLeast}` : `>= ${rate(aim.atLeast)}/s`;
};
const VERDICTS = new Map([
  [true, "yes"],
  [false, "no"],
  [null, ""],
]);

const HEAD = ["what", "Cloverleaf /s", "peer", "peer /s", "ratio", "per CPU s", "load busy", "aim", "reached"];

const cellsOf = (row: Row): string[] => [
  row.what,
  rate(row.ours.median),
  row.peer.name,
  rate(row.peer.median),
  share(row.ratio),
  share(row.cpuRatio),
  share(row.loadShare),
  aimOf(row.aim),
  VERDICTS.get(reaches(row)) ?? "",
];

/** A Markdown table with padded columns, readable as it is. */
export const renderTable = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
};

/** A section as Markdown: its table and notes, or why it was skipped. */
export const renderSection = (section: Section): string => {
  if (section.kind === "skipped") return `## ${section.title}\n\nSkipped: ${section.reason}`;
  const notes = section.notes.map((note) => `- ${note}`).join("\n");
  return `## ${section.title}\n\n${renderTable(HEAD, section.rows.map(cellsOf))}\n\n${notes}`;
};
