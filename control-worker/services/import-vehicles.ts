import { ImportLine, type ImportReport } from "#schema/api/vehicles.ts";
import { isVin, parseVin } from "#schema/domain/vin.ts";
import { marketOfWmi } from "#schema/domain/wmi.ts";
import type { Deps } from "../deps.ts";
import type { Candidate, PlaceOutcome } from "../ledger/port.ts";
import type { Statement } from "../store/statement.ts";
import type { ImportRecord } from "./parse-csv.ts";
import type { LineFault } from "./read-lines.ts";

const CHUNK = 1_000;
const ATTEMPTS = 5;
const RETRY_BASE_MS = 250;

type Accepted = { readonly kind: "accepted"; readonly line: number; readonly candidate: Candidate };
type Totals = Omit<Extract<ImportReport, { kind: "done" }>, "kind">;

const errorOf = ({ line, code, detail }: LineFault): ImportReport => ({ kind: "error", line, code, detail });

const accept = async (deps: Deps, record: ImportRecord): Promise<Accepted | LineFault> => {
  if (record.kind === "fault") return record;
  const { line } = record;
  const parsed = ImportLine.safeParse(record.value);
  if (!parsed.success) {
    const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`.trim()).join("; ");
    return { kind: "fault", line, code: "validation_failed", detail };
  }
  const { vin: text, market, ...attributes } = parsed.data;
  const vin = parseVin(text, market);
  if (!isVin(vin)) return { kind: "fault", line, code: `vin_${vin.fault}`, detail: vin.detail };
  const vinKey = await deps.vinKeyer(vin);
  const vehicle = { vin, vinKey, market: market ?? marketOfWmi(vin.slice(0, 3)), ...attributes };
  return { kind: "accepted", line, candidate: { vin, vinKey, vehicle } };
};

/** Patient: an import is long, and what stands in its way usually is not. */
const placeAll = async (deps: Deps, accepted: readonly Accepted[], also: readonly Statement[]): Promise<PlaceOutcome> => {
  const candidates: readonly Candidate[] = accepted.map(({ candidate }) => candidate);
  const after = { vehicles: candidates.length, firstLine: accepted.at(0)?.line, lastLine: accepted.at(-1)?.line };
  const said = { also, changes: candidates.length === 0 ? [] : [{ target: "vehicles", before: null, after }] };
  let outcome = await deps.ledger.place(candidates, "import", said);
  for (let attempt = 1; outcome.kind === "refused" && attempt < ATTEMPTS; attempt++) {
    await deps.sleep(Math.random() * RETRY_BASE_MS * 2 ** attempt);
    outcome = await deps.ledger.place(candidates, "import", said);
  }
  return outcome;
};

const tally = (totals: Totals, accepted: readonly Accepted[], outcome: PlaceOutcome & { kind: "decided" }): LineFault[] => {
  const faults: LineFault[] = [];
  for (const [index, decided] of outcome.outcomes.entries()) {
    if (decided.kind === "refused" && decided.code === "zone_mismatch") {
      const detail = "the vehicle's cell is outside this zone: re-assign it first";
      faults.push({ kind: "fault", line: accepted[index]?.line ?? 0, code: decided.code, detail });
      continue;
    }
    totals[decided.isChanged ? "imported" : "unchanged"] += 1;
    if (decided.kind === "placed") totals.placed += 1;
    if (decided.kind === "refused") totals.unplaced += 1;
  }
  totals.failed += faults.length;
  return faults;
};

async function* chunksOf(batches: AsyncIterable<ImportRecord[]>): AsyncGenerator<ImportRecord[]> {
  const chunk: ImportRecord[] = [];
  for await (const batch of batches) {
    chunk.push(...batch);
    while (chunk.length >= CHUNK) yield chunk.splice(0, CHUNK);
  }
  if (chunk.length > 0) yield chunk;
}

/** Where an import begins, and how it is noted how far it has come. */
export type ImportProgress = { readonly from: number; readonly noteOf: (lines: number, isDone: boolean) => Statement };

/** Registers and places vehicles chunk by chunk; an error spoils its own line only. Sent again it changes nothing. */
export async function* importVehicles(
  deps: Deps,
  batches: AsyncIterable<ImportRecord[]>,
  progress: ImportProgress | null = null,
): AsyncGenerator<ImportReport> {
  const totals: Totals = { lines: progress?.from ?? 0, imported: 0, unchanged: 0, failed: 0, placed: 0, unplaced: 0 };
  let isWhole = true;
  for await (const chunk of chunksOf(batches)) {
    const read = await Promise.all(chunk.map((record) => accept(deps, record)));
    const accepted = read.filter((line) => line.kind === "accepted");
    const faults = read.filter((line) => line.kind === "fault");
    totals.lines += chunk.length;
    totals.failed += faults.length;
    yield* faults.map(errorOf);
    const outcome = await placeAll(deps, accepted, progress === null ? [] : [progress.noteOf(totals.lines, false)]);
    if (outcome.kind === "refused") {
      totals.failed += accepted.length;
      const detail = `${outcome.detail}: stopped here, send the rest again from this line on`;
      yield { kind: "error", line: accepted[0]?.line ?? 0, code: outcome.code, detail };
      isWhole = false;
      break;
    }
    yield* tally(totals, accepted, outcome).map(errorOf);
    const { lines, imported, unchanged, failed } = totals;
    yield { kind: "progress", lines, imported, unchanged, failed };
  }
  if (isWhole && progress !== null) await deps.ledger.write([progress.noteOf(totals.lines, true)], { changes: [] });
  yield { kind: "done", ...totals };
}
