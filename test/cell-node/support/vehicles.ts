import { randomInt } from "node:crypto";
import { signDeviceToken } from "#schema/crypto/device-token.ts";
import { signOwnerToken } from "#schema/crypto/owner-token.ts";
import { signTicket } from "#schema/crypto/ticket-token.ts";
import { createVinKeyer } from "#schema/crypto/vin-keyer.ts";
import type { CellId } from "#schema/domain/cell.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import type { RouteReason } from "#schema/domain/route.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import type { VinKey } from "#schema/domain/vin-key.ts";
import { type Change, type Control, DEVICE_ISSUER, OWNER_ISSUER, POP } from "./control.ts";

const vinKeyOf = createVinKeyer("a pepper of the tests, 32 characters long");
const ALPHABET = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789";

export type TestVehicle = { readonly vin: Vin; readonly vinKey: VinKey };

/** A European vehicle nobody has seen before. */
export const newVehicle = async (): Promise<TestVehicle> => {
  const tail = Array.from({ length: 14 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join("");
  const vin = parseVin(`WVW${tail}`);
  if (!isVin(vin)) throw new Error(vin.detail);
  return { vin, vinKey: await vinKeyOf(vin) };
};

export const assigned = (vehicle: TestVehicle, cell: CellId | null, epoch: number): Change => ({ ...vehicle, cell, epoch });

export type TicketOptions = { cell: CellId; epoch: number; reason?: RouteReason; issuedMsAgo?: number };

export const ticketFor = (
  control: Control,
  { vin, vinKey }: TestVehicle,
  { cell, epoch, reason = "assigned", issuedMsAgo = 0 }: TicketOptions,
) => {
  const iat = Math.floor((Date.now() - issuedMsAgo) / 1000);
  const claims = { iss: POP, sub: vin, aud: [cell], cell, epoch, reason, topologyVersion: 1, vinKey, iat, exp: iat + 600 };
  return signTicket(control.pop.key, claims);
};

export const deviceTokenFor = (control: Control, { vin }: TestVehicle, lifetimeSeconds = 3600) =>
  signDeviceToken(control.device.key, { vin, issuer: DEVICE_ISSUER, nowMs: Date.now(), lifetimeSeconds });

export const ownerTokenFor = (control: Control, vehicles: readonly TestVehicle[], role: OwnerRole = "owner", subject = "alice") =>
  signOwnerToken(control.owner.key, {
    subject,
    issuer: OWNER_ISSUER,
    vehicles: vehicles.map(({ vin }) => ({ vin, role })),
    nowMs: Date.now(),
  });
