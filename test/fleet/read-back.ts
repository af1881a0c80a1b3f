import type { LabFile } from "../lab/lab-file.ts";
import { type Audit, type CellLedger, compareStored, storedIds } from "./audit.ts";
import { isSameEndpoint } from "./reference.ts";
import type { SimulatedVehicle } from "./simulated.ts";
import type { TokenMint } from "./tokens.ts";

export type ReadBack = { readonly audits: readonly Audit[]; readonly failures: readonly string[] };

type Run = { readonly lab: Pick<LabFile, "cells">; readonly mint: TokenMint; readonly prefix: string; readonly from: Date };

const IN_PARALLEL = 16;

const ledgerOf = async ({ vehicle }: SimulatedVehicle, mqtt: string, acknowledged: ReadonlySet<string>, run: Run): Promise<CellLedger> => {
  const { vin, route } = vehicle;
  const known = run.lab.cells.find((cell) => isSameEndpoint(cell.mqtt, mqtt))?.http;
  const https = known ?? (isSameEndpoint(route?.endpoints.mqtt, mqtt) ? route?.endpoints.https : undefined);
  if (https === undefined) throw new Error(`lab.json names no cell with the endpoint ${mqtt}`);
  const stored = await storedIds({ vin, https, token: await run.mint.ownerToken(vin) }, run.from);
  return { acknowledged, stored: stored?.filter((id) => id.startsWith(run.prefix)) ?? null };
};

const auditOne = async (simulated: SimulatedVehicle, run: Run): Promise<Audit> => {
  const ledgers: CellLedger[] = [];
  for (const [mqtt, acknowledged] of simulated.acknowledged) ledgers.push(await ledgerOf(simulated, mqtt, acknowledged, run));
  return compareStored(ledgers);
};

/** Reads what the cells stored of every vehicle and compares it with what they acknowledged. */
export const readBack = async (fleet: readonly SimulatedVehicle[], run: Run): Promise<ReadBack> => {
  const audits: Audit[] = [];
  const failures: string[] = [];
  const left = [...fleet];
  const work = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      await auditOne(next, run).then(
        (audit) => audits.push(audit),
        (error: unknown) => failures.push(error instanceof Error ? error.message : String(error)),
      );
    }
  };
  await Promise.all(Array.from({ length: IN_PARALLEL }, work));
  return { audits, failures };
};
