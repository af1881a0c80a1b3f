import { createHmac } from "node:crypto";
import type { VinKeyer } from "#schema/crypto/vin-keyer.ts";
import { vinKeyOfMac } from "#schema/domain/vin-key.ts";

/** The same vinKeys as schema/crypto/vin-keyer.ts, computed at once: WebCrypto's way through a thread costs ten times the hash. */
export const createDirectVinKeyer =
  (pepper: string): VinKeyer =>
  async (vin) =>
    vinKeyOfMac(createHmac("sha256", pepper).update(vin).digest());
