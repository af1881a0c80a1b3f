import type { Vin } from "#schema/domain/vin.ts";
import { vinOf } from "../../domain/samples.ts";

let serial = 100_000;

/** A VIN that no lab knows yet: real manufacturer code, valid check digit. */
export const freshVin = (wmi = "WVW"): Vin => vinOf(wmi, serial++);

export const freshVins = (count: number, wmi?: string): Vin[] => Array.from({ length: count }, () => freshVin(wmi));
