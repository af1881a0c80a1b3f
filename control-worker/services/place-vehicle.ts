import { AppError, type ErrorCode } from "#schema/api/error.ts";
import type { PlacementAnswer, PlacementRequest } from "#schema/api/vehicles.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { marketOfWmi } from "#schema/domain/wmi.ts";
import type { Deps } from "../deps.ts";
import type { PlacementRefusal } from "../ledger/port.ts";
import { findAssignment } from "../store/assignments.ts";
import type { NewVehicle } from "../store/vehicles.ts";
import { toError } from "./commit.ts";

const DETAILS: Readonly<Record<PlacementRefusal, string>> = {
  no_capacity: "no cell that may serve the vehicle has room",
  no_cell_in_zone: "there is no cell in the vehicle's zone",
  not_enrolled: "the vehicle is not registered, and its issuer's vehicles are not enrolled by themselves",
  zone_mismatch: "the vehicle's cell is outside its zone",
  busy: "the cell filled up meanwhile",
};

export const placementError = (code: PlacementRefusal): AppError =>
  new AppError(code satisfies ErrorCode, DETAILS[code], { retryAfterSeconds: 10 });

/** What to register for an authentic vehicle that nobody knows; null when its issuer's policy refuses it. */
const newcomer = (deps: Deps, vin: Vin, vinKey: VinKey, issuer: string): NewVehicle | null => {
  const policy = deps.config.issuers.find((candidate) => candidate.kind === "device" && candidate.issuer === issuer);
  if (policy?.enrol !== true) return null;
  const attributes = { usageRegion: null, model: null, tier: null, fleet: null, tenant: null };
  return { vin, vinKey, market: marketOfWmi(vin.slice(0, 3)), zone: policy.zone, ...attributes };
};

/** The cell of one authentic vehicle: the one it has, or a new one. A refusal of the ledger does not hide what is known. */
export const placeVehicle = async (deps: Deps, { vin, issuer }: PlacementRequest): Promise<PlacementAnswer> => {
  const vinKey = await deps.vinKeyer(vin);
  const placed = await deps.ledger.place([{ vin, vinKey, vehicle: newcomer(deps, vin, vinKey, issuer) }], "edge");
  if (placed.kind === "refused") {
    const known = await findAssignment(deps.database, vin);
    if (known === null) throw toError(placed);
    return { vinKey: known.vinKey, cell: known.cell, epoch: known.epoch, reason: "assigned" };
  }
  const [outcome] = placed.outcomes;
  if (outcome === undefined) throw new Error("the ledger decided nothing");
  if (outcome.kind === "refused") throw placementError(outcome.code);
  const { vinKey: key, cell, epoch, rule, kind } = outcome;
  return { vinKey: key, cell, epoch, reason: kind, ...(rule !== null && { rule }) };
};
