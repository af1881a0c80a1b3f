import { createVinKeyer, type VinKeyer } from "#schema/crypto/vin-keyer.ts";
import { routeKeyOf } from "#schema/domain/route.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Vehicle } from "../store/port.ts";

export type Pepper = { readonly id: string; readonly secret: string };

export type VehicleKeyer = (vin: Vin) => Promise<Vehicle>;

/** Makes the vehicle of a VIN: its vinKey under the current pepper, its route keys under every one, the current first. */
export const createVehicleKeyer = (
  peppers: readonly [Pepper, ...Pepper[]],
  createKeyer: (pepper: string) => VinKeyer = createVinKeyer,
): VehicleKeyer => {
  const [current, ...previous] = peppers.map(({ id, secret }) => ({ id, vinKeyOf: createKeyer(secret) }));
  if (current === undefined) throw new RangeError("a pepper is required");
  return async (vin) => {
    const vinKey = await current.vinKeyOf(vin);
    const older = await Promise.all(previous.map(async ({ id, vinKeyOf }) => routeKeyOf(id, await vinKeyOf(vin))));
    return { vin, vinKey, routeKeys: [routeKeyOf(current.id, vinKey), ...older] };
  };
};
