import { parse } from "csv-parse/sync";
import { AppError } from "#schema/api/error.ts";
import { ImportLine } from "#schema/api/vehicles.ts";
import type { Line, LineFault } from "./read-lines.ts";

export type ImportRecord = { readonly kind: "record"; readonly line: number; readonly value: unknown } | LineFault;

const parseRows = (text: string): string[][] => parse(text, { relax_column_count: true, trim: true }) as string[][];

const parseRow = (line: number, text: string): { line: number; row: string[] } | LineFault => {
  try {
    const [row, ...more] = parseRows(text);
    if (row !== undefined && more.length === 0) return { line, row };
  } catch (error) {
    return { kind: "fault", line, code: "csv", detail: error instanceof Error ? error.message : "not CSV" };
  }
  return { kind: "fault", line, code: "csv", detail: "a record is one line" };
};

const toRecord = (columns: readonly string[], line: number, row: readonly string[]): ImportRecord => {
  if (row.length !== columns.length) {
    return { kind: "fault", line, code: "columns", detail: `the line has ${row.length} columns, the header ${columns.length}` };
  }
  const filled = columns.map((column, index) => [column, row[index]] as const).filter(([, value]) => value !== "");
  return { kind: "record", line, value: Object.fromEntries(filled) };
};

/** Reads the header row: known columns, each once, `vin` among them (RFC 4180 §2.3). */
export const parseHeader = (line: Line | undefined): string[] => {
  const parsed = line?.kind === "line" ? parseRow(line.line, line.text) : line;
  if (parsed === undefined) throw new AppError("validation_failed", "the import has no header row");
  if ("kind" in parsed) throw new AppError("validation_failed", `the header row: ${parsed.detail}`);
  const columns = parsed.row;
  const known = Object.keys(ImportLine.shape);
  const unknown = columns.filter((column) => !known.includes(column));
  if (unknown.length > 0) throw new AppError("validation_failed", `unknown columns: ${unknown.join(", ")}; known are ${known.join(", ")}`);
  const repeated = columns.filter((column, index) => columns.indexOf(column) !== index);
  if (repeated.length > 0) throw new AppError("validation_failed", `repeated columns: ${repeated.join(", ")}`);
  if (!columns.includes("vin")) throw new AppError("validation_failed", "the header row has no column vin");
  return columns;
};

/** Parses lines under a header: all at once, and line by line only when that does not give a record each. */
export const parseCsvLines = (columns: readonly string[], lines: readonly Line[]): ImportRecord[] => {
  const texts = lines.filter((line) => line.kind === "line");
  const rows = ((): string[][] | null => {
    try {
      const all = parseRows(texts.map(({ text }) => text).join("\n"));
      return all.length === texts.length ? all : null;
    } catch {
      return null;
    }
  })();
  const byLine = new Map(texts.map(({ line }, index) => [line, rows?.[index]]));
  return lines.map((line): ImportRecord => {
    if (line.kind === "fault") return line;
    const row = byLine.get(line.line);
    const parsed = row === undefined ? parseRow(line.line, line.text) : { line: line.line, row };
    return "kind" in parsed ? parsed : toRecord(columns, parsed.line, parsed.row);
  });
};
