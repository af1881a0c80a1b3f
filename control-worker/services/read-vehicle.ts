import type { Vehicle } from "#schema/api/vehicles.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { Deps } from "../deps.ts";
import { requireVehicle } from "./require.ts";
import { toVehicle } from "./vehicle-view.ts";

export const readVehicle = async (deps: Deps, vin: Vin): Promise<Vehicle> => toVehicle(await requireVehicle(deps, vin), deps.clock());
