import { ROUTER_AUDIENCE, verifyDeviceToken } from "#schema/crypto/device-token.ts";
import { type Refused, refused } from "#schema/crypto/jwt.ts";
import { verifyOperatorToken } from "#schema/crypto/operator-token.ts";
import { verifyOwnerToken } from "#schema/crypto/owner-token.ts";
import type { OwnerRole } from "#schema/domain/command.ts";
import type { OperatorRole } from "#schema/domain/role.ts";
import type { Vin } from "#schema/domain/vin.ts";
import type { KeptAnswer } from "../answers.ts";
import type { Clock } from "../clock.ts";
import type { Bucket, Buckets } from "../limits.ts";
import type { Vehicle } from "../store/port.ts";
import type { Trust } from "../trust.ts";
import { type ClientCertificate, isVouchedFor, verifyClientCertificate } from "./client-certificate.ts";
import type { VehicleKeyer } from "./vehicle-keyer.ts";
import { createVerifiedCache } from "./verified-cache.ts";

type Known = {
  /** The caller's name in logs; of a vehicle its vinKey. */
  readonly name: string;
  readonly issuer: string;
  readonly expiresAtSeconds: number;
  /** What each request is charged to. */
  readonly own: Bucket;
  readonly ofIssuer: Bucket;
};
export type DeviceCaller = Known & {
  readonly kind: "device";
  readonly vehicle: Vehicle;
  /** The last answer to this credential, for as long as everything that it was made from is still so. */
  kept: KeptAnswer | undefined;
};
export type OwnerCaller = Known & { readonly kind: "owner"; readonly rights: ReadonlyMap<Vin, OwnerRole> };
export type OperatorCaller = Known & { readonly kind: "operator"; readonly roles: readonly OperatorRole[] };

/** One kind of credential: `seen` costs no crypto, `verify` does all of it and remembers what it found good. */
export type CredentialKind<Credential, Caller> = {
  seen(credential: Credential, trust: Trust, nowMs: number): Caller | undefined;
  verify(credential: Credential, trust: Trust): Promise<Caller | Refused>;
};

/** An Authorization header as it was sent: it is remembered whole, so that one seen before is not even taken apart. */
type Authorization = string;

export type Credentials = {
  readonly device: CredentialKind<Authorization, DeviceCaller>;
  readonly certificate: CredentialKind<ClientCertificate, DeviceCaller>;
  readonly owner: CredentialKind<Authorization, OwnerCaller>;
  readonly operator: CredentialKind<Authorization, OperatorCaller>;
};

/** The bearer token in an Authorization header (RFC 6750 §2.1); null when there is none. */
export const tokenIn = (authorization: Authorization): string | null => /^Bearer +([^ ]+)$/i.exec(authorization)?.[1] ?? null;

const MAX_AUTHORIZATION_LENGTH = 8_192;
/** Owners' and operators' tokens held, beside those of vehicles. */
const MAX_PEOPLE = 2_000;

const isRefused = (verdict: { readonly kind: string }): verdict is Refused => verdict.kind === "refused";

const createTokenKind = <Caller extends Known & { readonly kind: string }>(
  max: number,
  read: (token: string, trust: Trust) => Promise<Caller | Refused>,
): CredentialKind<Authorization, Caller> => {
  const cache = createVerifiedCache<Caller>(max);
  return {
    seen: (authorization, trust, nowMs) => cache.get(authorization, trust, nowMs),
    async verify(authorization, trust) {
      if (authorization.length > MAX_AUTHORIZATION_LENGTH) return refused("malformed", "the credential is too long");
      const token = tokenIn(authorization);
      if (token === null) return refused("malformed", "send a credential as Authorization: Bearer <token>");
      const verdict = await read(token, trust);
      if (!isRefused(verdict)) cache.set(authorization, trust, verdict);
      return verdict;
    },
  };
};

type Identify = (identity: { readonly vin: Vin; readonly issuer: string; readonly expiresAtSeconds: number }) => Promise<DeviceCaller>;

const createCertificateKind = (clock: Clock, identify: Identify, max: number): CredentialKind<ClientCertificate, DeviceCaller> => {
  const cache = createVerifiedCache<DeviceCaller>(max);
  return {
    seen: (certificate, trust, nowMs) =>
      isVouchedFor(certificate) ? cache.get(certificate.certFingerprintSHA256, trust, nowMs) : undefined,
    async verify(certificate, trust) {
      const verdict = verifyClientCertificate(certificate, trust, clock.now());
      if (verdict.kind === "refused") return verdict;
      const caller = await identify(verdict);
      cache.set(certificate.certFingerprintSHA256, trust, caller);
      return caller;
    },
  };
};

export type CallerLimits = Readonly<Record<"caller" | "issuer", Buckets>>;

/** Verifiers of everything that a caller may present, each with its bounded memory. */
export const createCredentials = (options: {
  readonly clock: Clock;
  readonly keyer: VehicleKeyer;
  readonly limits: CallerLimits;
  readonly max: number;
}): Credentials => {
  const { clock, keyer, limits, max } = options;
  const policyOf = ({ revoked }: Trust) => ({ revoked, nowMs: clock.now() });
  const knownOf = (limitKey: string, name: string, { issuer, expiresAtSeconds }: Pick<Known, "issuer" | "expiresAtSeconds">): Known => {
    return { name, issuer, expiresAtSeconds, own: limits.caller.of(limitKey), ofIssuer: limits.issuer.of(issuer) };
  };
  const identify: Identify = async (identity) => {
    const vehicle = await keyer(identity.vin);
    return { kind: "device", vehicle, kept: undefined, ...knownOf(identity.vin, vehicle.vinKey, identity) };
  };
  const nameOf = ({ issuer, subject }: { readonly issuer: string; readonly subject: string }) => `${issuer} ${subject}`;
  return {
    certificate: createCertificateKind(clock, identify, max),
    device: createTokenKind(max, async (token, trust) => {
      const verdict = await verifyDeviceToken(token, { ...policyOf(trust), issuers: trust.devices, audience: ROUTER_AUDIENCE });
      return verdict.kind === "refused" ? verdict : identify(verdict);
    }),
    owner: createTokenKind(MAX_PEOPLE, async (token, trust) => {
      const verdict = await verifyOwnerToken(token, { ...policyOf(trust), issuers: trust.owners });
      if (verdict.kind === "refused") return verdict;
      return { kind: "owner", rights: verdict.rights, ...knownOf(nameOf(verdict), nameOf(verdict), verdict) };
    }),
    operator: createTokenKind(MAX_PEOPLE, async (token, trust) => {
      const verdict = await verifyOperatorToken(token, { ...policyOf(trust), issuers: trust.operators });
      if (verdict.kind === "refused") return verdict;
      return { kind: "operator", roles: verdict.roles, ...knownOf(nameOf(verdict), nameOf(verdict), verdict) };
    }),
  };
};
