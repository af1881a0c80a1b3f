import type { ExportLine } from "#schema/api/vehicles.ts";
import type { Deps } from "../deps.ts";
import { listVehicles, type VehicleQuery, type VehicleRow } from "../store/vehicles.ts";

const PAGE = 1_000;
const COLUMNS = ["vin", "market", "zone", "usageRegion", "model", "tier", "fleet", "tenant"] as const;
const ASSIGNMENT = ["cell", "epoch"] as const;

export const EXPORT_MEDIA_TYPES = { ndjson: "application/x-ndjson", csv: "text/csv; charset=utf-8" } as const;
export type ExportFormat = keyof typeof EXPORT_MEDIA_TYPES;
export type ExportQuery = VehicleQuery & { readonly format: ExportFormat; readonly assignment: boolean };

const toLine = ({ vehicle, cell, epoch }: VehicleRow): ExportLine => ({ ...vehicle, cell, epoch: epoch ?? 0 });

/** RFC 4180 §2. */
const toField = (value: unknown): string => {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Vehicles as the import takes them, a page at a time: no more than one page is ever held. */
export async function* exportVehicles(deps: Deps, { format, assignment, ...query }: ExportQuery): AsyncGenerator<string> {
  const columns = assignment ? [...COLUMNS, ...ASSIGNMENT] : COLUMNS;
  const write = {
    ndjson: (line: ExportLine) => JSON.stringify(Object.fromEntries(columns.map((column) => [column, line[column]]))),
    csv: (line: ExportLine) => columns.map((column) => toField(line[column])).join(","),
  }[format];
  if (format === "csv") yield `${columns.join(",")}\r\n`;
  const end = format === "csv" ? "\r\n" : "\n";
  let after = "";
  for (;;) {
    const rows = await listVehicles(deps.database, query, after, PAGE);
    if (rows.length > 0) yield rows.map((row) => `${write(toLine(row))}${end}`).join("");
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.vehicle.vin ?? after;
  }
}
