import { TelemetryPage } from "#schema/api/commands.ts";
import { callCell, type OwnerCall } from "./owner.ts";

/** What one cell acknowledged to a vehicle, and the ids that it holds; null when it serves the vehicle no more and does not say. */
export type CellLedger = { readonly acknowledged: ReadonlySet<string>; readonly stored: readonly string[] | null };

/** How what a vehicle's cells acknowledged compares with what they stored. */
export type Audit = {
  readonly stored: number;
  readonly missing: readonly string[];
  readonly duplicated: readonly string[];
  /** Acknowledged by a cell that has given the vehicle up, and not brought along by a move. */
  readonly unreadable: number;
};

const repeatedIn = (ids: readonly string[]): string[] => {
  const seen = new Set<string>();
  return ids.filter((id) => seen.size === seen.add(id).size);
};

/** Every acknowledged id must be stored; no cell may hold an id twice, acknowledged or not. */
export const compareStored = (ledgers: readonly CellLedger[]): Audit => {
  const stored = new Set(ledgers.flatMap((ledger) => ledger.stored ?? []));
  const lostBy = (isReadable: boolean) =>
    ledgers
      .filter((ledger) => (ledger.stored !== null) === isReadable)
      .flatMap((ledger) => [...ledger.acknowledged].filter((id) => !stored.has(id)));
  const acknowledged = new Set(ledgers.flatMap((ledger) => [...ledger.acknowledged]));
  return {
    stored: [...acknowledged].filter((id) => stored.has(id)).length,
    missing: lostBy(true),
    duplicated: ledgers.flatMap((ledger) => repeatedIn(ledger.stored ?? [])),
    unreadable: lostBy(false).length,
  };
};

const PAGE = 1000;
const WRONG_CELL = 421;

/** Ids of the telemetry that one cell holds of a vehicle since a moment; null when another cell serves it; throws on any other refusal. */
export const storedIds = async (call: Omit<OwnerCall, "allowedHosts">, from: Date): Promise<string[] | null> => {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = new URLSearchParams({
      ...{ from: from.toISOString(), limit: String(PAGE) },
      ...(cursor !== null && { cursor }),
    });
    const response = await callCell({ ...call, allowedHosts: [] }, `/v1/vehicles/${call.vin}/telemetry?${query}`);
    if (response.status === WRONG_CELL) return null;
    if (!response.ok) throw new Error(`telemetry at ${call.https}: ${response.status} ${(await response.text()).slice(0, 200)}`);
    const page: TelemetryPage = TelemetryPage.parse(await response.json());
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== null);
  return ids;
};
