import type { CellId } from "#schema/domain/cell.ts";
import type { RuleFacts } from "#schema/domain/rules.ts";
import { modelYearOf, type Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import type { VehicleAttributes } from "./store/vehicles.ts";

type Subject = VehicleAttributes & { readonly vin: Vin; readonly vinKey: VinKey };

/** A vehicle as rules see it; model years are sold up to one year ahead. */
export const ruleFactsOf = (vehicle: Subject, now: number, current: CellId | null = null): RuleFacts => {
  const { vin, vinKey, zone, usageRegion: region, model, tier, fleet, tenant } = vehicle;
  const modelYear = modelYearOf(vin, new Date(now).getUTCFullYear() + 1);
  return { vin, vinKey, zone, region, model, tier, fleet, tenant, modelYear, current };
};
