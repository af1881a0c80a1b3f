import { LRUCache } from "lru-cache";
import { ROUTER_AUDIENCE, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { type Refused, refused } from "#schema/crypto/jwt.ts";
import type { Clock } from "../clock.ts";
import type { Vehicle } from "../store/port.ts";
import type { Trust } from "../trust.ts";
import type { VehicleKeyer } from "./vehicle-keyer.ts";

export type DeviceCaller = {
  readonly kind: "device";
  readonly vehicle: Vehicle;
  readonly issuer: string;
  readonly expiresAtSeconds: number;
};

export type DeviceCredentials = {
  /** The caller of a token that was verified before under the same trust and has not expired; undefined when it must be verified. */
  seen(token: string, trust: Trust): DeviceCaller | undefined;
  verify(token: string, trust: Trust): Promise<DeviceCaller | Refused>;
};

const MAX_TOKEN_LENGTH = 8_192;

/** Verifies device tokens and remembers the good ones, never past their `exp` and only while issuers and revocations stay the same. Bounded: the one used longest ago is verified anew. */
export const createDeviceCredentials = (options: {
  readonly clock: Clock;
  readonly keyer: VehicleKeyer;
  readonly max: number;
}): DeviceCredentials => {
  const { clock, keyer } = options;
  const cache = new LRUCache<string, { readonly caller: DeviceCaller; readonly trust: Trust }>({ max: options.max });
  return {
    seen(token, trust) {
      const cached = cache.get(token);
      if (cached === undefined || cached.trust !== trust || cached.caller.expiresAtSeconds * 1000 <= clock.now()) return undefined;
      return cached.caller;
    },
    async verify(token, trust) {
      if (token.length > MAX_TOKEN_LENGTH) return refused("malformed", "the credential is too long");
      const verdict = await verifyDeviceToken(token, {
        issuers: trust.devices,
        audience: ROUTER_AUDIENCE,
        revoked: trust.revoked,
        nowMs: clock.now(),
      });
      if (verdict.kind === "refused") return verdict;
      const { vin, issuer, expiresAtSeconds } = verdict;
      const caller: DeviceCaller = { kind: "device", vehicle: await keyer(vin), issuer, expiresAtSeconds };
      cache.set(token, { caller, trust });
      return caller;
    },
  };
};
