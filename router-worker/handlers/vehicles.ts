import type { Handler } from "hono";
import { AppError } from "#schema/api/error.ts";
import { EPOCH_HEADER } from "#schema/api/route.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { authenticateOwnerOrDevice } from "../caller/authenticate.ts";
import type { DeviceCaller, OwnerCaller } from "../caller/credentials.ts";
import type { RouterDeps } from "../deps.ts";
import { locate } from "../locate.ts";
import { locationAt, redirectTo } from "../redirect.ts";
import { refusalOf, topologyOf } from "./serve-vehicle.ts";

/** One answer to a VIN that is malformed, foreign, without a right or unknown: the caller learns nothing of which. */
const noSuchVehicle = (): AppError => new AppError("not_found", "you have no such vehicle");

/** A vehicle asks about itself only, an owner about the vehicles that the token names. */
const mayAsk = (caller: OwnerCaller | DeviceCaller, vin: Vin): boolean =>
  caller.kind === "device" ? caller.vehicle.vin === vin : caller.rights.has(vin);

const PREFIX = "/v1/vehicles/";

/** `ANY /v1/vehicles/{vin}/…`: the same path at the vehicle's cell, method and body kept. Rights are checked before anything is looked up. */
export const vehiclesHandler =
  (deps: RouterDeps): Handler =>
  async (c) => {
    const held = await topologyOf(deps);
    const caller = await authenticateOwnerOrDevice(deps, c, held.trust);
    const { pathname, search } = new URL(c.req.url);
    const [segment = "", ...rest] = pathname.slice(PREFIX.length).split("/");
    const vin = parseVin(segment);
    if (!isVin(vin) || !mayAsk(caller, vin)) throw noSuchVehicle();
    const located = await locate(deps, held, vin);
    if (located === "unknown") throw noSuchVehicle();
    if (located === "unreachable") throw refusalOf(deps, "edge_cold");
    deps.instruments.requests.inc("served", "redirected");
    const location = locationAt(located.https, [`${PREFIX}${vin}`, ...rest].join("/"), search);
    return redirectTo(location, { [EPOCH_HEADER]: String(located.epoch) });
  };
