import { AppError } from "#schema/api/error.ts";
import type { ImportReport, ImportState } from "#schema/api/vehicles.ts";
import type { Deps } from "../deps.ts";
import { findImportPart, type ImportPartId, listImportParts, noteImportPart } from "../store/import-parts.ts";
import { importVehicles } from "./import-vehicles.ts";
import type { ImportRecord } from "./parse-csv.ts";

/** A part's `Content-Length` may say this much. */
const MAX_PART_BYTES = 50 * 1024 * 1024;
const DONE = { imported: 0, unchanged: 0, failed: 0, placed: 0, unplaced: 0 } as const;

export const checkPartSize = (request: Request): void => {
  if (Number(request.headers.get("Content-Length") ?? 0) > MAX_PART_BYTES) {
    throw new AppError("payload_too_large", "a part has at most 50 MB: send the import in several");
  }
};

async function* skip(batches: AsyncIterable<ImportRecord[]>, count: number): AsyncGenerator<ImportRecord[]> {
  let left = count;
  for await (const batch of batches) {
    const rest = batch.slice(left);
    left = Math.max(0, left - batch.length);
    if (rest.length > 0) yield rest;
  }
}

/** One part of an import: sent again it goes on behind the lines that are stored, and a whole one answers at once. */
export async function* importPart(deps: Deps, id: ImportPartId, batches: AsyncIterable<ImportRecord[]>): AsyncGenerator<ImportReport> {
  const known = await findImportPart(deps.database, id);
  const from = known?.lines ?? 0;
  if (known?.isDone) {
    yield { kind: "done", lines: from, ...DONE };
    return;
  }
  const noteOf = (lines: number, isDone: boolean) => noteImportPart({ ...id, lines, isDone, updatedAt: deps.clock() });
  yield* importVehicles(deps, skip(batches, from), { from, noteOf });
}

/** How far each part of an import has come. */
export const readImport = async (deps: Deps, id: string): Promise<ImportState> => {
  const rows = await listImportParts(deps.database, id);
  if (rows.length === 0) throw new AppError("not_found", "nothing of such an import has arrived");
  const parts = rows.map(({ part, lines, isDone, updatedAt }) => ({ part, lines, isDone, updatedAt: new Date(updatedAt).toISOString() }));
  return { id, parts };
};
