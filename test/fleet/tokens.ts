import { signDeviceToken } from "#schema/crypto/device-token.ts";
import { importSigningKey } from "#schema/crypto/keys.ts";
import { signOwnerToken } from "#schema/crypto/owner-token.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { LabFile } from "../lab/lab-file.ts";

/** Credentials of simulated vehicles and their owners; each is kept and replaced well before it expires. */
export type TokenMint = {
  deviceToken(vin: Vin): Promise<string>;
  ownerToken(vin: Vin): Promise<string>;
};

type Kept = { readonly token: Promise<string>; readonly untilMs: number };

const DEVICE_LIFETIME_SECONDS = 24 * 3600;
const OWNER_KEPT_MS = 10 * 60 * 1000;

const keeper = (keptMs: number, now: () => number, sign: (vin: Vin, nowMs: number) => Promise<string>) => {
  const kept = new Map<Vin, Kept>();
  return (vin: Vin): Promise<string> => {
    const nowMs = now();
    const known = kept.get(vin);
    if (known !== undefined && known.untilMs > nowMs) return known.token;
    const fresh = { token: sign(vin, nowMs), untilMs: nowMs + keptMs };
    kept.set(vin, fresh);
    return fresh.token;
  };
};

export const createTokenMint = async (lab: Pick<LabFile, "device" | "owner">, now: () => number): Promise<TokenMint> => {
  const deviceKey = await importSigningKey(lab.device.privateJwk);
  const ownerKey = await importSigningKey(lab.owner.privateJwk);
  return {
    deviceToken: keeper((DEVICE_LIFETIME_SECONDS * 1000) / 2, now, (vin, nowMs) =>
      signDeviceToken(deviceKey, { vin, issuer: lab.device.issuer, nowMs, lifetimeSeconds: DEVICE_LIFETIME_SECONDS }),
    ),
    ownerToken: keeper(OWNER_KEPT_MS, now, (vin, nowMs) =>
      signOwnerToken(ownerKey, { subject: "fleet", issuer: lab.owner.issuer, vehicles: [{ vin, role: "owner" }], nowMs }),
    ),
  };
};
