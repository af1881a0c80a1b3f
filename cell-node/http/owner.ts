import type { Context } from "hono";
import { AppError } from "#schema/api/error.ts";
import { verifyOwnerToken } from "#schema/crypto/owner-token.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import { REFUSAL_ANSWERS } from "#schema/domain/refusal.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { type AdmissionContext, admitVehicle } from "../admission/admit-vehicle.ts";
import type { Presented } from "../admission/credentials.ts";
import { epochToTell } from "../admission/reference.ts";
import type { Vehicle } from "../admission/vehicle.ts";

/** Who asks, with what right, about which vehicle of this cell. */
export type OwnerRequest = {
  readonly requestedBy: string;
  readonly role: OwnerRole;
  readonly vehicle: Vehicle;
  readonly expiresAtMs: number;
};

/** One answer for an unknown VIN, a foreign VIN and a missing right: nobody learns which. */
export const notYours = (): AppError => new AppError("forbidden", "there is no such vehicle, or the credential does not allow this");

const bearerOf = (c: Context): string => {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(c.req.header("Authorization") ?? "");
  if (match?.[1] === undefined) throw new AppError("unauthenticated", "Authorization: Bearer <access token> is required");
  return match[1];
};

/** The vehicle, if this cell serves it; else the refusal of the admission table in HTTP's words. */
const admitOwner = async (context: AdmissionContext, c: Context, vin: Vin): Promise<Vehicle> => {
  const presented: Presented = { credential: { kind: "device", vin }, vinKey: null };
  const outcome = await admitVehicle(context, { presented, claimedVin: vin, isOverBudget: false });
  const { admission, vehicle } = outcome;
  if (admission.kind === "admit" && vehicle !== undefined) return vehicle;
  if (admission.kind === "admit") throw new AppError("busy", "the vehicle is not here yet");
  const { status, retryAfterMs } = REFUSAL_ANSWERS[admission.refusal];
  if (status === 503) throw new AppError("busy", admission.detail, { retryAfterSeconds: Math.ceil((retryAfterMs ?? 1000) / 1000) });
  const endpoints = admission.reference === null ? undefined : context.world().endpointsOf(admission.reference);
  const epoch = epochToTell(admission, outcome, presented);
  const { pathname, search } = new URL(c.req.url);
  throw new AppError("wrong_cell", admission.detail, {
    headers: {
      ...(endpoints !== undefined && { Location: `${endpoints.https}${pathname}${search}` }),
      ...(epoch !== null && { "Cloverleaf-Epoch": String(epoch) }),
    },
  });
};

/** Verifies the owner's token, then the right to this vehicle, then that the vehicle is served here. */
export const ownerOf = async (context: AdmissionContext, c: Context): Promise<OwnerRequest> => {
  const token = bearerOf(c);
  const { ownerIssuers, revoked } = context.world();
  const verdict = await verifyOwnerToken(token, { issuers: ownerIssuers, revoked, nowMs: context.clock.nowMs() });
  if (verdict.kind === "refused") throw new AppError("unauthenticated", verdict.detail);
  const vin = parseVin(c.req.param("vin") ?? "");
  const role = isVin(vin) ? verdict.rights.get(vin) : undefined;
  if (!isVin(vin) || role === undefined) throw notYours();
  const requestedBy = `${verdict.issuer}\n${verdict.subject}`;
  return { requestedBy, role, vehicle: await admitOwner(context, c, vin), expiresAtMs: verdict.expiresAtSeconds * 1000 };
};
