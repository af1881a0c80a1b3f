import { AppError } from "#schema/api/error.ts";
import { type ImportRecord, parseCsvLines, parseHeader } from "./parse-csv.ts";
import { type Line, readLines } from "./read-lines.ts";

export const IMPORT_MEDIA_TYPES = ["application/x-ndjson", "text/csv"] as const;

const isFilled = (line: Line): boolean => line.kind === "fault" || line.text.trim() !== "";

const parseJsonLine = (line: Line): ImportRecord => {
  if (line.kind === "fault") return line;
  try {
    return { kind: "record", line: line.line, value: JSON.parse(line.text) as unknown };
  } catch {
    return { kind: "fault", line: line.line, code: "json", detail: "the line is not JSON" };
  }
};

async function* parseBatches(batches: AsyncIterable<Line[]>, parse: (lines: Line[]) => ImportRecord[]): AsyncGenerator<ImportRecord[]> {
  for await (const batch of batches) yield parse(batch.filter(isFilled));
}

const openCsv = async (batches: AsyncGenerator<Line[]>): Promise<AsyncGenerator<ImportRecord[]>> => {
  const first = await batches.next();
  const [header, ...rest] = first.done ? [] : first.value;
  const columns = parseHeader(header);
  async function* all(): AsyncGenerator<Line[]> {
    yield rest;
    yield* batches;
  }
  return parseBatches(all(), (lines) => parseCsvLines(columns, lines));
};

/** The records of an import, in bounded memory. A faulty header throws; a faulty line is a value. */
export const openRecords = async (mediaType: string, body: AsyncIterable<Uint8Array>): Promise<AsyncGenerator<ImportRecord[]>> => {
  const known = IMPORT_MEDIA_TYPES.find((candidate) => candidate === mediaType);
  if (known === undefined) throw new AppError("unsupported_media_type", `send one of ${IMPORT_MEDIA_TYPES.join(", ")}`);
  const batches = readLines(body);
  return known === "text/csv" ? openCsv(batches) : parseBatches(batches, (lines) => lines.map(parseJsonLine));
};
