import type { LabFile } from "../lab/lab-file.ts";
import { type Audit, auditVehicle } from "./audit.ts";
import type { SimulatedVehicle } from "./simulated.ts";
import type { TokenMint } from "./tokens.ts";

export type ReadBack = { readonly audits: readonly Audit[]; readonly failures: readonly string[] };

type Run = { readonly lab: Pick<LabFile, "cells">; readonly mint: TokenMint; readonly prefix: string; readonly from: Date };

const IN_PARALLEL = 16;

const auditOne = async ({ vehicle, acknowledged, cells }: SimulatedVehicle, run: Run): Promise<Audit> => {
  const { vin, route } = vehicle;
  const token = await run.mint.ownerToken(vin);
  const calls = [...cells].map((mqtt) => {
    const known = run.lab.cells.find((cell) => cell.mqtt === mqtt)?.http;
    const https = known ?? (route?.endpoints.mqtt === mqtt ? route.endpoints.https : null);
    if (https === null) throw new Error(`lab.json names no cell with the endpoint ${mqtt}`);
    return { vin, https, token, allowedHosts: route?.allowedHosts ?? [] };
  });
  return auditVehicle({ vin, acknowledged, calls }, run);
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
