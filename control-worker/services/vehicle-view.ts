import type { Vehicle } from "#schema/api/vehicles.ts";
import { modelYearOf } from "#schema/domain/vin.ts";
import type { VehicleRow } from "../store/vehicles.ts";

/** A vehicle as the API shows it; model years are sold up to one year ahead. */
export const toVehicle = ({ vehicle, cell, epoch }: VehicleRow, now: number): Vehicle => ({
  vin: vehicle.vin,
  vinKey: vehicle.vinKey,
  cell,
  epoch: epoch ?? 0,
  market: vehicle.market,
  zone: vehicle.zone,
  usageRegion: vehicle.usageRegion,
  model: vehicle.model,
  modelYear: modelYearOf(vehicle.vin, new Date(now).getUTCFullYear() + 1),
  tier: vehicle.tier,
  fleet: vehicle.fleet,
  tenant: vehicle.tenant,
  isPinned: vehicle.isPinned,
  version: vehicle.version,
  updatedAt: new Date(vehicle.updatedAt).toISOString(),
});

/** A vehicle as the audit keeps it: without its VIN. */
export const auditOf = ({ vehicle, cell }: Pick<VehicleRow, "vehicle" | "cell">): Readonly<Record<string, unknown>> => {
  const { vin: _, updatedAt: __, ...rest } = vehicle;
  return { ...rest, cell };
};
