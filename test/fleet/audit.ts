import { TelemetryPage } from "#schema/api/commands.ts";
import type { Vin } from "#schema/domain/vin.ts";
import { callCell, type OwnerCall } from "./owner.ts";

/** How what a vehicle's cells acknowledged compares with what they stored. */
export type Audit = { readonly stored: number; readonly missing: readonly string[]; readonly duplicated: readonly string[] };

/** Every acknowledged id must be stored exactly once; ids that were not acknowledged may be stored, but not twice. */
export const compareStored = (acknowledged: ReadonlySet<string>, stored: readonly string[]): Audit => {
  const counts = new Map<string, number>();
  for (const id of stored) counts.set(id, (counts.get(id) ?? 0) + 1);
  const ids = [...counts];
  return {
    stored: ids.filter(([id]) => acknowledged.has(id)).length,
    missing: [...acknowledged].filter((id) => !counts.has(id)),
    duplicated: ids.filter(([, count]) => count > 1).map(([id]) => id),
  };
};

const PAGE = 1000;

/** Ids of the telemetry that one cell holds of a vehicle since a moment; throws when the cell does not answer 200. */
export const storedIds = async (call: OwnerCall, from: Date): Promise<string[]> => {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = new URLSearchParams({
      ...{ from: from.toISOString(), limit: String(PAGE) },
      ...(cursor !== null && { cursor }),
    });
    const response = await callCell(call, `/v1/vehicles/${call.vin}/telemetry?${query}`);
    if (!response.ok) throw new Error(`telemetry at ${call.https}: ${response.status} ${(await response.text()).slice(0, 200)}`);
    const page: TelemetryPage = TelemetryPage.parse(await response.json());
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== null);
  return ids;
};

export type AuditSubject = {
  readonly vin: Vin;
  readonly acknowledged: ReadonlySet<string>;
  /** One call for each cell that acknowledged something. */
  readonly calls: readonly OwnerCall[];
};

/** Reads back what the cells stored of one vehicle. Only ids of this run, by their prefix, are looked at. */
export const auditVehicle = async (subject: AuditSubject, run: { readonly prefix: string; readonly from: Date }): Promise<Audit> => {
  const stored: string[] = [];
  for (const call of subject.calls) stored.push(...(await storedIds(call, run.from)));
  return compareStored(
    subject.acknowledged,
    stored.filter((id) => id.startsWith(run.prefix)),
  );
};
