import type { Context } from "hono";
import { AppError } from "#schema/api/error.ts";
import { unverifiedIssuerOf } from "#schema/crypto/device-token.ts";
import type { RouterDeps } from "../deps.ts";
import type { Trust } from "../trust.ts";
import { charge } from "./charge.ts";
import { clientCertificateOf } from "./client-certificate.ts";
import { type CredentialKind, type DeviceCaller, type OperatorCaller, type OwnerCaller, tokenIn } from "./credentials.ts";

type AnyCaller = DeviceCaller | OwnerCaller | OperatorCaller;

/** How long a refused credential is held against its address. */
const SUSPECT_MS = 600_000;

/** The platform's limit for addresses that have sent bad credentials; without a binding only the isolate's own holds. */
const admitSuspect = async (deps: RouterDeps, address: string): Promise<void> => {
  if ((deps.suspects.get(address) ?? 0) < deps.clock.now() || (await deps.admitAddress(address))) return;
  throw new AppError("rate_limited", "too many credentials from this address were refused", { retryAfterSeconds: 60 });
};

/** First sight of a credential: its address pays for the verification before it is done, so that guessing never starves the fleet. */
const verifyUnseen = async <C, T extends AnyCaller>(
  deps: RouterDeps,
  c: Context,
  trust: Trust,
  kind: CredentialKind<C, T>,
  credential: C,
): Promise<T> => {
  const address = deps.addressHeader === null ? undefined : c.req.header(deps.addressHeader);
  if (address !== undefined) {
    charge(deps.addresses.of(address), deps.settings.limits.unseenCost, deps.clock.now());
    await admitSuspect(deps, address);
  }
  const verdict = await kind.verify(credential, trust);
  deps.instruments.credentials.inc(verdict.kind === "refused" ? verdict.fault : "verified");
  if (verdict.kind !== "refused") return verdict;
  if (address !== undefined) deps.suspects.set(address, deps.clock.now() + SUSPECT_MS);
  throw new AppError("unauthenticated", verdict.detail);
};

const identify = async <C, T extends AnyCaller>(
  deps: RouterDeps,
  c: Context,
  trust: Trust,
  kind: CredentialKind<C, T>,
  credential: C,
): Promise<T> => {
  const seen = kind.seen(credential, trust, deps.clock.now());
  const caller = seen ?? (await verifyUnseen(deps, c, trust, kind, credential));
  if (seen !== undefined) deps.instruments.cachedCredentials.inc();
  const nowMs = deps.clock.now();
  charge(caller.own, 1, nowMs);
  charge(caller.ofIssuer, seen === undefined ? deps.settings.limits.unseenCost : 1, nowMs);
  return caller;
};

const noCredential = (): AppError => new AppError("unauthenticated", "send a credential as Authorization: Bearer <token>");

const authorizationOf = (c: Context): string => {
  const header = c.req.header("Authorization");
  if (header === undefined) throw noCredential();
  return header;
};

/** The vehicle that a request comes from: by its token, else by the client certificate that the platform has verified. */
export const authenticateDevice = (deps: RouterDeps, c: Context, trust: Trust): Promise<DeviceCaller> => {
  const header = c.req.header("Authorization");
  if (header !== undefined) return identify(deps, c, trust, deps.credentials.device, header);
  const certificate = clientCertificateOf(c.req.raw);
  if (certificate === null) throw noCredential();
  return identify(deps, c, trust, deps.credentials.certificate, certificate);
};

/** An owner by an access token, or the vehicle itself: which of them, the issuer says. */
export const authenticateOwnerOrDevice = (deps: RouterDeps, c: Context, trust: Trust): Promise<OwnerCaller | DeviceCaller> => {
  const header = c.req.header("Authorization");
  const isDevice = header === undefined || trust.devices.has(unverifiedIssuerOf(tokenIn(header) ?? "") ?? "");
  return isDevice ? authenticateDevice(deps, c, trust) : identify(deps, c, trust, deps.credentials.owner, header);
};

/** An operator of the fleet, in any role. */
export const authenticateOperator = (deps: RouterDeps, c: Context, trust: Trust): Promise<OperatorCaller> =>
  identify(deps, c, trust, deps.credentials.operator, authorizationOf(c));
